// A4 and D1 over the simulated link, for thousands of seeds: crashes of every part, broken and
// half-open connections, disks that are slow or full, controllers that write late, clocks that are
// set. SKERRY_SEED=<n> runs one seed again, SKERRY_SEEDS=<n> the first n of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "services/lib/link/testing/simulation.h"
#include "services/lib/metrics/registry.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/simulation/twin_guest.h"

namespace skerry::twin {
namespace {

TEST(TwinLinkSimulationTest, BothEndsAgreeByTheRule) {
  metrics::Registry registry("twin-svc");
  TwinMetrics metrics(registry);
  std::map<std::string, int> seen;
  const char* one = std::getenv("SKERRY_SEED");
  const char* count = std::getenv("SKERRY_SEEDS");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t last = one != nullptr     ? first
                        : count != nullptr ? std::strtoull(count, nullptr, 10)
                                           : 300;
  for (uint64_t seed = first; seed <= last; ++seed) {
    TwinGuest guest(metrics);
    link::testing::Simulation simulation(seed);
    simulation.Invite(guest);
    for (int weather = 0; weather < 4; ++weather) {
      for (int step = 0; step < 120 && simulation.failure().empty(); ++step) simulation.Step();
      for (int second = 0; second < 30 && simulation.failure().empty(); ++second) {
        simulation.Calm(1);
        guest.Step();
      }
    }
    if (simulation.failure().empty()) simulation.Settle();
    ASSERT_EQ(simulation.failure(), "") << "SKERRY_SEED=" << seed;
    for (const auto& [what, times] : simulation.seen()) seen[what] += times;
  }
  if (one != nullptr) return;
  for (const char* what : {"hub crash",
                           "edge crash",
                           "power loss",
                           "broken connection",
                           "half-open connection",
                           "resync",
                           "device controller crash",
                           "edge-meta crash",
                           "twin-svc crash",
                           "committed, and nobody heard",
                           "slow disk",
                           "full disk",
                           "write refused, the disk is full",
                           "write refused, it came too late",
                           "redelivery",
                           "clock jump",
                           "device made anew",
                           "removed at synced",
                           "manifest with a mistake",
                           "report of a former device",
                           "late report",
                           "box's desired value seen in the cloud",
                           "conflict seen in the cloud",
                           "box's value holds",
                           "conflict to be seen"}) {
    EXPECT_GT(seen[what], 5) << what << " hardly ever happens: the simulation does not test it";
  }
}

}  // namespace
}  // namespace skerry::twin
