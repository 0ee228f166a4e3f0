// L4, L5 (link-7.8, link-11.1 to 11.3): fleets of which some nodes are slow or hostile, then a
// storm. SKERRY_SEED=<n> runs one seed again, SKERRY_SEEDS=<n> the first n of them.
#include "services/cloudhub-svc/sessions/fleet_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "absl/time/time.h"

namespace skerry::cloudhub {
namespace {

TEST(FleetSimulationTest, NobodyDelaysOthersAndAStormIsAdmittedInOrder) {
  std::map<std::string, int> seen;
  const char* one = std::getenv("SKERRY_SEED");
  const char* count = std::getenv("SKERRY_SEEDS");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t last = one != nullptr     ? first
                        : count != nullptr ? std::strtoull(count, nullptr, 10)
                                           : 4;
  for (uint64_t seed = first; seed <= last; ++seed) {
    FleetSimulation fleet(seed, /*nodes=*/30 + seed % 4 * 10, /*hostile=*/8);
    for (int storm = 0; storm < 2; ++storm) {
      fleet.Run(absl::Seconds(45));
      fleet.CheckInSync();
      ASSERT_EQ(fleet.failure(), "") << "SKERRY_SEED=" << seed << " storm " << storm;
      if (storm == 0) fleet.Storm();
    }
    for (const auto& [what, times] : fleet.seen()) seen[what] += times;
  }
  if (one != nullptr) return;
  for (const char* what :
       {"hostile", "let in", "ticket", "session ended", "connection ended before its session"}) {
    EXPECT_GT(seen[what], 20) << what << " hardly ever happens: the simulation does not test it";
  }
  // With jitter, so that they don't come back together.
  EXPECT_EQ(seen["equal tickets"], 0);
}

}  // namespace
}  // namespace skerry::cloudhub
