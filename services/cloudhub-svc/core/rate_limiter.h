// How often a remote may try.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_CORE_RATE_LIMITER_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_CORE_RATE_LIMITER_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace skerry::cloudhub {

// A token bucket per remote. Remotes beyond `remotes_max` share one bucket until others have filled
// up again. Any thread may call it.
class RateLimiter {
 public:
  struct Options {
    double burst = 10;
    double per_second = 1;
    size_t remotes_max = 4096;
  };
  explicit RateLimiter(const Options& options) : options_(options) {}

  // Takes one. False: none is left; `now` is monotonic.
  bool Allow(absl::string_view remote, absl::Duration now);
  // True if Allow would say so; takes nothing.
  bool HasLeft(absl::string_view remote, absl::Duration now) const;

 private:
  struct Bucket {
    double left;
    absl::Duration time;
  };
  double LeftOf(const Bucket& bucket, absl::Duration now) const;
  Bucket& BucketOf(absl::string_view remote, absl::Duration now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, Bucket> buckets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_CORE_RATE_LIMITER_H_
