#include "services/edged-svc/runner/event_recorder.h"

#include <optional>
#include <utility>

namespace skerry::edged {

void EventRecorder::SetWake(std::function<void()> wake) {
  absl::MutexLock lock(&mutex_);
  wake_ = std::move(wake);
}

void EventRecorder::Record(const EventTarget& about, EventType type, absl::string_view reason,
                           absl::string_view message) {
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    std::optional<EventRecord> record =
        correlator_.Observe(about, type, reason, message, clock_.Now(), clock_.Monotonic());
    metrics_.Events(record.has_value() ? "recorded" : "suppressed", 1);
    if (!record.has_value()) return;
    if (!queue_.Push(*std::move(record))) metrics_.Events("dropped", 1);
    wake = wake_;
  }
  if (wake) wake();
}

std::vector<EventRecord> EventRecorder::Take() {
  absl::MutexLock lock(&mutex_);
  return queue_.Take();
}

void EventRecorder::Answered(size_t stored, size_t refused) {
  absl::MutexLock lock(&mutex_);
  queue_.Answered(stored + refused);
  metrics_.Events("stored", stored);
  metrics_.Events("refused", refused);
}

}  // namespace skerry::edged
