#include "services/cloudhub-svc/core/rate_limiter.h"

#include <algorithm>
#include <utility>

namespace skerry::cloudhub {
namespace {

constexpr char kShared[] = "";  // No remote has this name.

}  // namespace

bool RateLimiter::Allow(absl::string_view remote, absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  Bucket& bucket = BucketOf(remote, now);
  bucket.left = LeftOf(bucket, now);
  bucket.time = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

bool RateLimiter::HasLeft(absl::string_view remote, absl::Duration now) const {
  absl::MutexLock lock(&mutex_);
  auto bucket = buckets_.find(remote);
  if (bucket == buckets_.end() && buckets_.size() >= options_.remotes_max)
    bucket = buckets_.find(kShared);
  return bucket == buckets_.end() || LeftOf(bucket->second, now) >= 1;
}

double RateLimiter::LeftOf(const Bucket& bucket, absl::Duration now) const {
  return std::min(options_.burst,
                  bucket.left + absl::ToDoubleSeconds(now - bucket.time) * options_.per_second);
}

RateLimiter::Bucket& RateLimiter::BucketOf(absl::string_view remote, absl::Duration now) {
  auto found = buckets_.find(remote);
  if (found != buckets_.end()) return found->second;
  if (buckets_.size() >= options_.remotes_max) {
    for (auto it = buckets_.begin(); it != buckets_.end();) {
      auto current = it++;
      if (LeftOf(current->second, now) >= options_.burst) buckets_.erase(current);
    }
  }
  if (buckets_.size() >= options_.remotes_max) remote = kShared;
  return buckets_.try_emplace(std::string(remote), Bucket{options_.burst, now}).first->second;
}

}  // namespace skerry::cloudhub
