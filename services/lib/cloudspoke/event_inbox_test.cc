#include "services/lib/cloudspoke/event_inbox.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace skerry::cloudspoke {
namespace {

std::string Show(const EventInbox::Batch& batch) {
  std::string out;
  for (const InboxEvent& event : batch.events) absl::StrAppend(&out, event.sequence, " ");
  return out + (batch.more ? "…" : "");
}

class EventInboxTest : public ::testing::Test {
 protected:
  bool Put(uint64_t sequence, uint64_t epoch = 1, const std::string& node = "n") {
    return inbox_.Put(node, "hub", epoch, {sequence, std::string(36, 'x')});
  }
  EventInbox inbox_{300};  // Three of them.
};

TEST_F(EventInboxTest, GivesTheFirstUntilTheyAreDone) {
  Put(4);
  Put(5);
  Put(9);
  EXPECT_EQ(Show(inbox_.Peek("n", 2)), "4 5 …");
  EXPECT_EQ(Show(inbox_.Peek("n", 2)), "4 5 …");
  EXPECT_TRUE(inbox_.Finish("n", 1, 5));
  EXPECT_EQ(Show(inbox_.Peek("n", 2)), "9 ");
  EXPECT_TRUE(inbox_.Finish("n", 1, 9));
  EXPECT_EQ(Show(inbox_.Peek("n", 2)), "");
}

TEST_F(EventInboxTest, ASessionThatEndedTakesItsEventsWithIt) {
  Put(4);
  Put(4, /*epoch=*/2);
  EXPECT_FALSE(inbox_.Finish("n", 1, 4)) << "the answer of a worker that was late";
  EXPECT_EQ(inbox_.Peek("n", 9).epoch, 2u);
  inbox_.DropNode("n");
  EXPECT_EQ(Show(inbox_.Peek("n", 9)), "");
  EXPECT_FALSE(inbox_.Finish("n", 2, 4));
}

TEST_F(EventInboxTest, IsBoundedForEachNode) {
  for (const uint64_t sequence : {1, 2, 3}) EXPECT_TRUE(Put(sequence));
  EXPECT_FALSE(Put(4));
  EXPECT_TRUE(Put(4, 1, "m"));
  inbox_.Finish("n", 1, 3);
  EXPECT_FALSE(Put(5)) << "4 would be missing";
  EXPECT_TRUE(Put(4, /*epoch=*/2));
}

}  // namespace
}  // namespace skerry::cloudspoke
