#include "tools/skerryctl/drain_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "services/lib/testing/status_matchers.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;

cloudhub::v1::Hub HubOf(bool draining, int sessions, std::vector<std::string> moving = {}) {
  cloudhub::v1::Hub hub;
  hub.set_name("hub-1");
  hub.set_draining(draining);
  hub.set_session_count(sessions);
  hub.set_moving_count(static_cast<int>(moving.size()));
  for (const std::string& node : moving) hub.add_moving_nodes(node);
  return hub;
}

class AwaitDrainedTest : public ::testing::Test {
 protected:
  // A second a state; the last one stays.
  absl::Status Await(const std::vector<cloudhub::v1::Hub>& states) {
    size_t at = 0;
    absl::Duration now;
    return AwaitDrained(
        {.get_hub = [&]() -> absl::StatusOr<cloudhub::v1::Hub> { return states[at]; },
         .tell = [&](absl::string_view line) { told_.emplace_back(line); },
         .pause =
             [&] {
               now += absl::Seconds(1);
               if (at + 1 < states.size()) ++at;
             },
         .now = [&] { return now; }},
        absl::Seconds(10));
  }
  std::vector<std::string> told_;
};

TEST_F(AwaitDrainedTest, EndsWhenEveryNodeIsElsewhere) {
  EXPECT_THAT(Await({HubOf(true, 2), HubOf(true, 2), HubOf(true, 1, {"a"}),
                     HubOf(true, 0, {"a", "b"}), HubOf(true, 0)}),
              IsOk());
  EXPECT_THAT(told_, ElementsAre("hub-1: 2 nodes to move, 0 on their way",
                                 "hub-1: 1 nodes to move, 1 on their way",
                                 "hub-1: 0 nodes to move, 2 on their way",
                                 "hub-1: 0 nodes to move, 0 on their way"));
}

TEST_F(AwaitDrainedTest, SaysWhichNodesHaveNotArrived) {
  const absl::Status status = Await({HubOf(true, 1), HubOf(true, 0, {"edge-7"})});
  EXPECT_THAT(status, HasReason("DRAIN_UNFINISHED"));
  EXPECT_THAT(Describe(FromStatus(status)), HasSubstr("1 on their way: edge-7"));
}

TEST_F(AwaitDrainedTest, SaysWhenTheHubDrainsNoMore) {
  EXPECT_THAT(Await({HubOf(true, 5), HubOf(false, 4)}), HasReason("DRAIN_ENDED"));
}

}  // namespace
}  // namespace skerry::skerryctl
