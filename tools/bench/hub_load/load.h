// Sends messages through a path, as many as it takes or at a rate, and tells how it went.
#ifndef SKERRY_TOOLS_BENCH_HUB_LOAD_LOAD_H_
#define SKERRY_TOOLS_BENCH_HUB_LOAD_LOAD_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/bench/hub_load/event_loop.h"
#include "tools/bench/hub_load/fleet.h"

namespace skerry::bench {

struct LoadOptions {
  int nodes = 0;
  size_t payload_bytes = 0;
  absl::Duration time;
  std::function<bool()> told_to_end;  // Before `time` is over; may be null.
  double rate = 0;  // Messages a second over all nodes; 0: each node sends as soon as it may.
};

struct LoadResult {
  int64_t answered = 0;  // Before the end.
  double p50_ms = 0;
  double p99_ms = 0;
  double max_ms = 0;
};

// DEADLINE_EXCEEDED where what was sent is not answered within a minute of the end.
absl::StatusOr<LoadResult> RunLoad(EventLoop& loop, Path& path, const LoadOptions& options);

// One message to every node at once: the seconds until each was answered, sorted.
absl::StatusOr<std::vector<double>> Broadcast(EventLoop& loop, Path& path, int nodes,
                                              size_t payload_bytes);

// Of sorted values; 0 of none.
double Quantile(const std::vector<double>& sorted, double q);

}  // namespace skerry::bench

#endif  // SKERRY_TOOLS_BENCH_HUB_LOAD_LOAD_H_
