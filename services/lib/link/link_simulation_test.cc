// L1, L2, L3, A2, A3, and commands at most once, for thousands of seeds: crashes of every part and
// broken connections, a line that forgets (link-3.7), then convergence. SKERRY_SEED=<n> runs one
// seed again, SKERRY_SEEDS=<n> the first n of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "services/lib/link/testing/simulation.h"

namespace skerry::link {
namespace {

TEST(LinkSimulationTest, ConvergesWhateverFails) {
  std::map<std::string, int> seen;
  const char* one = std::getenv("SKERRY_SEED");
  const char* count = std::getenv("SKERRY_SEEDS");
  const uint64_t first = one == nullptr ? 1 : std::strtoull(one, nullptr, 10);
  const uint64_t last = one != nullptr     ? first
                        : count != nullptr ? std::strtoull(count, nullptr, 10)
                                           : 1000;
  for (uint64_t seed = first; seed <= last; ++seed) {
    testing::Simulation simulation(seed);
    for (int step = 0; step < 400 && simulation.failure().empty(); ++step) simulation.Step();
    if (simulation.failure().empty()) simulation.Settle();
    ASSERT_EQ(simulation.failure(), "") << "SKERRY_SEED=" << seed;
    for (const auto& [what, count] : simulation.seen()) seen[what] += count;
  }
  if (one != nullptr) return;
  for (const char* what : {"hub crash",
                           "edge crash",
                           "spoke crash",
                           "controller crash",
                           "broken connection",
                           "half-open connection",
                           "overflow",
                           "resync",
                           "event again",
                           "event lost",
                           "transport full",
                           "session end FENCED",
                           "session end HEARTBEAT_LOST",
                           "session end CLOSED",
                           "line forgot",
                           "line outlived",
                           "epoch stored",
                           "command done",
                           "command known",
                           "command returned",
                           "command repeated",
                           "command cancelled",
                           "command COMMAND_EXPIRED",
                           "command COMMAND_OUTCOME_UNKNOWN",
                           "command COMMAND_DEADLINE_EXCEEDED",
                           "command NO_COMMAND_TAKER",
                           "command sent in a later session",
                           "store's answer lost",
                           "tunnel complete",
                           "tunnel left",
                           "hub's transport full",
                           "budget spent",
                           "hub's budget spent",
                           "chunk up",
                           "chunk down",
                           "compressed up",
                           "compressed down",
                           "compressed in chunks",
                           "tunnel end the link to "}) {
    EXPECT_GT(seen[what], 20) << what << " hardly ever happens: the simulation does not test it";
  }
}

}  // namespace
}  // namespace skerry::link
