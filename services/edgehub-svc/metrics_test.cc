#include "services/edgehub-svc/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skerry::edgehub {
namespace {

using ::testing::HasSubstr;

TEST(EdgeHubMetricsTest, BoundsStandBesideWhatTheyBound) {
  metrics::Registry registry("edgehub-svc");
  EdgeHubMetrics metrics(registry);
  metrics.SetBounds({.journal_bytes = 1000,
                     .journal_type_bytes = 500,
                     .event_stream_bytes = 600,
                     .command_response_bytes = 70});
  JournalStats journal;
  journal.size_bytes = 700;
  journal.type_bytes = {{"pods", 200}, {"twins", 450}, {"nodes", 50}};
  metrics.Journal(journal);
  metrics.Streams({{"readings", {.size_bytes = 300}}, {"user", {.size_bytes = 100}}});
  for (const char* line :
       {"skerry_edgehub_journal_bytes 700", "skerry_edgehub_journal_bytes_max 1000",
        "skerry_edgehub_journal_type_bytes 450", "skerry_edgehub_journal_type_bytes_max 500",
        "skerry_edgehub_event_bytes 400", "skerry_edgehub_event_stream_bytes 300",
        "skerry_edgehub_event_stream_bytes_max 600",
        "skerry_edgehub_command_response_bytes_max 70"}) {
    EXPECT_THAT(registry.Render(), HasSubstr(std::string("\n") + line + "\n"));
  }
  metrics.Journal({});
  metrics.Streams({});
  EXPECT_THAT(registry.Render(), HasSubstr("\nskerry_edgehub_journal_type_bytes 0\n"));
  EXPECT_THAT(registry.Render(), HasSubstr("\nskerry_edgehub_event_stream_bytes 0\n"));
}

}  // namespace
}  // namespace skerry::edgehub
