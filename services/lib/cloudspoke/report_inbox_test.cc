#include "services/lib/cloudspoke/report_inbox.h"

#include <gtest/gtest.h>

namespace skerry::cloudspoke {
namespace {

InboxReport Report(uint64_t sequence, const std::string& key = "ns/p",
                   const std::string& value = "v", const std::string& node = "n1") {
  return {.hub = "h",
          .node = node,
          .epoch = 3,
          .sequence = sequence,
          .type = "pods",
          .key = key,
          .value = value};
}

TEST(ReportInboxTest, NewerReportTakesThePlaceOfAWaitingOne) {
  ReportInbox inbox(1 << 20);
  const auto first = inbox.Put(Report(1, "ns/p", "old"));
  EXPECT_TRUE(first.accepted);
  EXPECT_FALSE(first.superseded.has_value());
  const auto second = inbox.Put(Report(2, "ns/p", "new"));
  ASSERT_TRUE(second.superseded.has_value());
  EXPECT_EQ(second.superseded->sequence, 1u);
  EXPECT_EQ(second.work_key, first.work_key);
  EXPECT_EQ(inbox.Peek(first.work_key)->value, "new");
  EXPECT_EQ(inbox.size(), 1u);
}

TEST(ReportInboxTest, FinishOfAnOlderReportKeepsTheNewerOne) {
  ReportInbox inbox(1 << 20);
  const std::string key = inbox.Put(Report(1)).work_key;
  inbox.Put(Report(2));
  EXPECT_FALSE(inbox.Finish(key, 3, 1));
  EXPECT_TRUE(inbox.Peek(key).has_value());
  EXPECT_TRUE(inbox.Finish(key, 3, 2));
  EXPECT_FALSE(inbox.Peek(key).has_value());
}

TEST(ReportInboxTest, FinishOfAnotherSessionDoesNothing) {
  ReportInbox inbox(1 << 20);
  const std::string key = inbox.Put(Report(1)).work_key;
  EXPECT_FALSE(inbox.Finish(key, 2, 1));
}

TEST(ReportInboxTest, BoundHoldsForEachNodeAlone) {
  ReportInbox inbox(1000);
  EXPECT_TRUE(inbox.Put(Report(1, "ns/a", std::string(600, 'x'))).accepted);
  EXPECT_FALSE(inbox.Put(Report(2, "ns/b", std::string(600, 'x'))).accepted);
  EXPECT_TRUE(inbox.Put(Report(3, "ns/a", std::string(700, 'x'))).accepted)
      << "a replacement frees its room";
  EXPECT_TRUE(inbox.Put(Report(1, "ns/a", std::string(600, 'x'), "n2")).accepted);
}

TEST(ReportInboxTest, RoomComesBackWhenReportsAreDone) {
  ReportInbox inbox(1000);
  for (uint64_t i = 1; i < 100; ++i) {
    const auto put = inbox.Put(Report(i, "ns/a", std::string(600, 'x')));
    ASSERT_TRUE(put.accepted) << i;
    ASSERT_TRUE(inbox.Finish(put.work_key, 3, i));
  }
}

TEST(ReportInboxTest, EndOfASessionDropsItsReports) {
  ReportInbox inbox(1 << 20);
  const std::string key = inbox.Put(Report(1)).work_key;
  const std::string other = inbox.Put(Report(1, "ns/p", "v", "n2")).work_key;
  inbox.DropNode("n1");
  EXPECT_FALSE(inbox.Peek(key).has_value());
  EXPECT_TRUE(inbox.Peek(other).has_value());
}

}  // namespace
}  // namespace skerry::cloudspoke
