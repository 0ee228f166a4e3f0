#include "services/lib/reconcile/queue.h"

#include <algorithm>
#include <utility>

#include "services/lib/base/check.h"

namespace skerry::reconcile {

bool IsTerminal(absl::StatusCode code) {
  return code == absl::StatusCode::kInvalidArgument ||
         code == absl::StatusCode::kFailedPrecondition || code == absl::StatusCode::kUnimplemented;
}

Queue::Queue(Clock& clock, Options options) : clock_(clock), options_(std::move(options)) {}

bool Queue::KnownLocked(const std::string& key) const {
  return in_ready_.contains(key) || due_.contains(key) || working_.contains(key);
}

bool Queue::AddLocked(const std::string& key) {
  if (stopped_) return false;
  if (!KnownLocked(key) && in_ready_.size() + due_.size() + working_.size() >= options_.keys_max) {
    ++refused_;
    return false;
  }
  if (auto due = due_.find(key); due != due_.end()) {
    timers_.erase({due->second, key});
    due_.erase(due);
  }
  if (auto working = working_.find(key); working != working_.end()) {
    working->second = true;
    return true;
  }
  if (in_ready_.insert(key).second) {
    ready_.push_back(key);
    options_.on_waiting(in_ready_.size());
    changed_.Signal();
  }
  return true;
}

bool Queue::DelayLocked(const std::string& key, absl::Duration delay) {
  if (delay <= absl::ZeroDuration()) return AddLocked(key);
  if (stopped_) return false;
  if (in_ready_.contains(key)) return true;
  if (!KnownLocked(key) && in_ready_.size() + due_.size() + working_.size() >= options_.keys_max) {
    ++refused_;
    return false;
  }
  const absl::Duration at = clock_.Monotonic() + delay;
  auto [it, inserted] = due_.try_emplace(key, at);
  if (!inserted) {
    if (it->second <= at) return true;
    timers_.erase({it->second, key});
    it->second = at;
  }
  timers_.insert({at, key});
  changed_.Signal();  // The wait of some worker may be too long now.
  return true;
}

bool Queue::Add(absl::string_view key) {
  absl::MutexLock lock(&mutex_);
  return AddLocked(std::string(key));
}

bool Queue::AddAfter(absl::string_view key, absl::Duration delay) {
  absl::MutexLock lock(&mutex_);
  return DelayLocked(std::string(key), delay);
}

void Queue::PromoteDueLocked() {
  const absl::Duration now = clock_.Monotonic();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    std::string key = timers_.begin()->second;
    timers_.erase(timers_.begin());
    due_.erase(key);
    AddLocked(key);
  }
}

std::optional<std::string> Queue::PopLocked() {
  if (stopped_) return std::nullopt;
  PromoteDueLocked();
  if (ready_.empty()) return std::nullopt;
  std::string key = std::move(ready_.front());
  ready_.pop_front();
  in_ready_.erase(key);
  options_.on_waiting(in_ready_.size());
  working_[key] = false;
  return key;
}

std::optional<std::string> Queue::TryTake() {
  absl::MutexLock lock(&mutex_);
  return PopLocked();
}

std::optional<std::string> Queue::Take() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    std::optional<std::string> key = PopLocked();
    if (key.has_value() || stopped_) return key;
    if (timers_.empty()) {
      changed_.Wait(&mutex_);
    } else {
      changed_.WaitWithTimeout(&mutex_, timers_.begin()->first - clock_.Monotonic());
    }
  }
}

absl::Duration Queue::NextBackoffLocked(const std::string& key) {
  const int failures = failures_[key]++;
  absl::Duration delay = options_.backoff_min;
  for (int i = 0; i < failures && delay < options_.backoff_max; ++i) delay *= 2;
  return std::min(delay, options_.backoff_max);
}

Result Queue::Finish(const std::string& key, const absl::StatusOr<Outcome>& result) {
  absl::MutexLock lock(&mutex_);
  auto working = working_.find(key);
  SKERRY_CHECK(working != working_.end());
  const bool again = working->second;
  working_.erase(working);

  Result how = Result::kSuccess;
  absl::Duration delay;
  if (result.ok()) {
    failures_.erase(key);
    if (result->recheck_after().has_value()) {
      how = Result::kRecheck;
      delay = *result->recheck_after();
    }
  } else if (IsTerminal(result.status().code())) {
    failures_.erase(key);
    how = Result::kTerminal;
  } else {
    how = Result::kRetry;
    delay = NextBackoffLocked(key);
  }
  // A change that came meanwhile is looked at when the worker's own wish would be, or at once after
  // an end: a key that fails and changes all the time must not spin.
  if (how == Result::kRetry || (how == Result::kRecheck && !again)) {
    DelayLocked(key, delay);
  } else if (again) {
    AddLocked(key);
  }
  return how;
}

void Queue::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  changed_.SignalAll();
}

size_t Queue::waiting() const {
  absl::MutexLock lock(&mutex_);
  return in_ready_.size();
}

size_t Queue::delayed() const {
  absl::MutexLock lock(&mutex_);
  return due_.size();
}

uint64_t Queue::refused() const {
  absl::MutexLock lock(&mutex_);
  return refused_;
}

}  // namespace skerry::reconcile
