#include "services/lib/link/byte_budget.h"

#include <algorithm>
#include <limits>

namespace skerry::link {

double ByteBudget::LeftAt(absl::Duration now) const {
  if (!updated_.has_value() || now <= *updated_) return left_;
  const double earned =
      absl::ToDoubleSeconds(now - *updated_) * static_cast<double>(limit_.bytes_per_second);
  return std::min(left_ + earned, static_cast<double>(limit_.burst_bytes));
}

double ByteBudget::ReopenBytes() const {
  return static_cast<double>(std::min(limit_.bytes_per_second, limit_.burst_bytes));
}

bool ByteBudget::Open(absl::Duration now) {
  if (!limited()) return true;
  if (!updated_.has_value()) updated_ = now;
  const double left = LeftAt(now);
  spent_ = left <= 0 || (spent_ && left < ReopenBytes());
  return !spent_;
}

void ByteBudget::Spend(size_t bytes, absl::Duration now) {
  if (!limited()) return;
  left_ = LeftAt(now) - static_cast<double>(bytes);
  updated_ = std::max(updated_.value_or(now), now);
  spent_ = spent_ || left_ <= 0;
}

size_t ByteBudget::ReadBytesMax(absl::Duration now) const {
  if (!limited()) return std::numeric_limits<size_t>::max();
  return static_cast<size_t>(std::max(1.0, LeftAt(now)));
}

bool ByteBudget::Wait(absl::Duration now) {
  if (waiting()) return false;
  waiting_since_ = now;
  return true;
}

void ByteBudget::StopWaiting(absl::Duration now) {
  waited_ = waited(now);
  waiting_since_.reset();
}

absl::Duration ByteBudget::waited(absl::Duration now) const {
  return waiting() ? waited_ + (now - *waiting_since_) : waited_;
}

absl::Duration ByteBudget::NextWake() const {
  if (!waiting()) return absl::InfiniteDuration();
  const double missing = std::max(0.0, ReopenBytes() - left_);
  // A little later rather than a rounding too early.
  return updated_.value_or(*waiting_since_) +
         absl::Seconds(missing / static_cast<double>(limit_.bytes_per_second)) +
         absl::Milliseconds(1);
}

}  // namespace skerry::link
