// Exponential backoff with full jitter.
#ifndef SKERRY_SERVICES_LIB_LINK_BACKOFF_H_
#define SKERRY_SERVICES_LIB_LINK_BACKOFF_H_

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"

namespace skerry::link {

// Waits uniform(0, min(max, base * 2^failures)). The same seed gives the same waits. One thread.
class Backoff {
 public:
  Backoff(absl::Duration base, absl::Duration max, uint64_t seed)
      : base_(base), max_(max), state_(seed) {}

  absl::Duration Next() {
    const absl::Duration ceiling = std::min(max_, base_ * (int64_t{1} << std::min(failures_, 30)));
    ++failures_;
    return ceiling * Uniform();
  }
  // The next wait is from the shortest range again.
  void Reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  // splitmix64: [0, 1).
  double Uniform() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1.0p-53;
  }

  const absl::Duration base_;
  const absl::Duration max_;
  uint64_t state_;
  int failures_ = 0;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_BACKOFF_H_
