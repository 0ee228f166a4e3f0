#include "services/lib/link/keepalive.h"

#include <algorithm>
#include <utility>

#include "services/lib/link/heartbeat.h"

namespace skerry::link {
namespace {

// Of an interval: a line that was idle for less of it says nothing about the whole.
constexpr double kIdleShare = 0.75;

}  // namespace

void Keepalive::Holds(absl::Duration interval) {
  if (asked_ > interval) asked_ = absl::ZeroDuration();  // It is the hub's own.
  if (interval != interval_) proven_ = absl::ZeroDuration();
  interval_ = interval;
  idle_ = absl::ZeroDuration();
  outlived_ = 0;
}

void Keepalive::Sent(absl::Duration idle) {
  if (idle_ == absl::ZeroDuration() && idle >= kHeartbeatIntervalMin * kIdleShare) idle_ = idle;
}

void Keepalive::Heard() {
  const absl::Duration idle = std::exchange(idle_, absl::ZeroDuration());
  if (idle < interval_ * kIdleShare) return;
  ++outlived_;
  proven_ += idle;
  if (former_ == absl::ZeroDuration() || proven_ < trial_after_) return;
  former_ = absl::ZeroDuration();
  trial_after_ = kTrialAfterMin;
}

bool Keepalive::Lost() {
  const bool idle = std::exchange(idle_, absl::ZeroDuration()) > absl::ZeroDuration();
  if (!idle || outlived_ >= kOutlivedMax) return false;
  const absl::Duration former = std::exchange(former_, absl::ZeroDuration());
  const bool on_trial = former > absl::ZeroDuration() && former < interval_;
  if (on_trial) trial_after_ = std::min(2 * trial_after_, kTrialAfterMax);
  const absl::Duration next = on_trial ? former : std::max(kHeartbeatIntervalMin, interval_ / 2);
  if (next >= interval_) return false;
  asked_ = next;
  return true;
}

absl::Duration Keepalive::Try() {
  if (asked_ == absl::ZeroDuration() || proven_ < trial_after_) return absl::ZeroDuration();
  former_ = interval_;
  asked_ = interval_ * 3 / 2;
  proven_ = absl::ZeroDuration();
  return asked_;
}

}  // namespace skerry::link
