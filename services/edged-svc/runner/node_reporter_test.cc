#include "services/edged-svc/runner/node_reporter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/edged-svc/testing/fake_events.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NodeReporterTest : public ::testing::Test {
 protected:
  int SentBy(bool force = false) {
    const int before = sent_;
    reporter_.Tick(facts_, force);
    return sent_ - before;
  }

  skerry::testing::FakeClock clock_;
  FakeEvents events_;
  NodeFacts facts_;
  int sent_ = 0;
  NodeReporter reporter_{{.name = "edge-1", .version = "v1"},
                         clock_,
                         events_,
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

// [edged-8.4]
TEST_F(NodeReporterTest, TellsWhatHasChanged) {
  facts_.runtime_ready = true;
  facts_.memory_available_bytes = 1 << 30;
  SentBy();
  EXPECT_THAT(events_.Take(),
              ElementsAre("NodeHasSufficientMemory of edge-1: Node edge-1 status is now: "
                          "NodeHasSufficientMemory",
                          "NodeHasNoDiskPressure of edge-1: Node edge-1 status is now: "
                          "NodeHasNoDiskPressure",
                          "NodeHasSufficientPID of edge-1: Node edge-1 status is now: "
                          "NodeHasSufficientPID",
                          "NodeReady of edge-1: Node edge-1 status is now: NodeReady"));
  SentBy();
  EXPECT_THAT(events_.Take(), IsEmpty());
  facts_.storage_bytes = 100;
  facts_.storage_available_bytes = 1;
  facts_.runtime_ready = false;
  SentBy();
  EXPECT_THAT(events_.Take(),
              ElementsAre("NodeHasDiskPressure of edge-1: Node edge-1 status is now: "
                          "NodeHasDiskPressure",
                          "NodeNotReady of edge-1: Node edge-1 status is now: NodeNotReady"));
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
