// The window's bytes; the rest is in testdata/edge/reports.txt and events.txt.
#include "services/lib/link/journal_sender.h"

#include <gtest/gtest.h>

#include <optional>

namespace skerry::link {
namespace {

// link-5.3
TEST(JournalSenderTest, NoMoreIsReadThanTheWindowHasBytes) {
  JournalSender sender("link-5.5", "reports of pods", {.count = 64, .bytes = 1000});
  std::optional<JournalSender::Fetch> fetch = sender.NextFetch();
  ASSERT_TRUE(fetch.has_value());
  EXPECT_EQ(fetch->bytes_max, 1000u);
  sender.Fetching();
  sender.Sent(1, 600);
  sender.Fetched(/*more=*/true);
  fetch = sender.NextFetch();
  ASSERT_TRUE(fetch.has_value());
  EXPECT_EQ(fetch->after, 1u);
  EXPECT_EQ(fetch->bytes_max, 400u);
  // The last that is begun within the window may be larger than what is left of it.
  sender.Fetching();
  sender.Sent(2, 700);
  sender.Fetched(/*more=*/true);
  EXPECT_FALSE(sender.NextFetch().has_value());

  EXPECT_TRUE(sender.Ack(1).ok());
  fetch = sender.NextFetch();
  ASSERT_TRUE(fetch.has_value());
  EXPECT_EQ(fetch->bytes_max, 300u);
}

}  // namespace
}  // namespace skerry::link
