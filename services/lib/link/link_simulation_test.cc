// L1, L2, L3 for thousands of seeds: crashes of every part and broken connections, then
// convergence.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "services/lib/link/testing/simulation.h"

namespace skerry::link {
namespace {

TEST(LinkSimulationTest, ConvergesWhateverFails) {
  std::map<std::string, int> seen;
  // SKERRY_SEED runs one seed again.
  const char* one = std::getenv("SKERRY_SEED");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t last = one == nullptr ? 1000 : first;
  for (uint64_t seed = first; seed <= last; ++seed) {
    testing::Simulation simulation(seed);
    for (int step = 0; step < 400 && simulation.failure().empty(); ++step) simulation.Step();
    if (simulation.failure().empty()) simulation.Settle();
    ASSERT_EQ(simulation.failure(), "") << "SKERRY_SEED=" << seed;
    for (const auto& [what, count] : simulation.seen()) seen[what] += count;
  }
  if (one != nullptr) return;
  for (const char* what :
       {"hub crash", "edge crash", "spoke crash", "controller crash", "broken connection",
        "half-open connection", "overflow", "resync", "event again", "event lost", "transport full",
        "session end FENCED", "session end HEARTBEAT_LOST", "session end CLOSED", "epoch stored",
        "tunnel complete", "tunnel left", "hub's transport full", "tunnel end the link to "}) {
    EXPECT_GT(seen[what], 20) << what << " hardly ever happens: the simulation does not test it";
  }
}

}  // namespace
}  // namespace skerry::link
