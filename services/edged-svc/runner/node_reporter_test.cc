#include "services/edged-svc/runner/node_reporter.h"

#include <gtest/gtest.h>

#include "services/lib/testing/fake_clock.h"

namespace skerry::edged {
namespace {

class NodeReporterTest : public ::testing::Test {
 protected:
  int SentBy(bool force = false) {
    const int before = sent_;
    reporter_.Tick(facts_, force);
    return sent_ - before;
  }

  skerry::testing::FakeClock clock_;
  NodeFacts facts_;
  int sent_ = 0;
  NodeReporter reporter_{{.name = "edge-1", .version = "v1"},
                         clock_,
                         [this](const std::string&, const std::string&) { ++sent_; }};
};

TEST_F(NodeReporterTest, ReportsAtFirstOnChangeAndEveryFiveMinutes) {
  EXPECT_EQ(SentBy(), 1);
  EXPECT_EQ(SentBy(), 0);
  facts_.hostname = "other";
  EXPECT_EQ(SentBy(), 1);
  clock_.Advance(absl::Minutes(4));
  EXPECT_EQ(SentBy(), 0);
  EXPECT_EQ(SentBy(/*force=*/true), 1);
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(SentBy(), 1);
}

// Bug: after a step back of a year the heartbeats of the conditions stood still for a year.
TEST_F(NodeReporterTest, AClockThatIsSetBackHoldsUpNothing) {
  EXPECT_EQ(SentBy(), 1);
  clock_.SetNow(clock_.Now() - absl::Hours(365 * 24));
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(SentBy(), 1);
}

}  // namespace
}  // namespace skerry::edged
