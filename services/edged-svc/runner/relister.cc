#include "services/edged-svc/runner/relister.h"

#include <utility>

namespace skerry::edged {

Relister::Relister(Runtime& runtime, Clock& clock, absl::Duration period, Listener listener)
    : runtime_(runtime),
      clock_(clock),
      period_(period),
      listener_(std::move(listener)),
      executor_("relist", clock) {}

Relister::~Relister() { executor_.Stop(); }

void Relister::Kick() {
  absl::MutexLock lock(&mutex_);
  if (posted_) return;
  posted_ = true;
  executor_.Post([this] { List(); });
}

uint64_t Relister::NextNumber() const {
  absl::MutexLock lock(&mutex_);
  return next_;
}

void Relister::List() {
  uint64_t number;
  {
    absl::MutexLock lock(&mutex_);
    posted_ = false;  // From here on a change needs another list.
    number = next_++;
    executor_.Cancel(timer_);
  }
  const absl::Duration begin = clock_.Monotonic();
  absl::StatusOr<std::vector<PodView>> pods = runtime_.ListPods();
  listener_(number, std::move(pods), clock_.Monotonic() - begin);
  absl::MutexLock lock(&mutex_);
  timer_ = executor_.PostAfter(period_, [this] { Kick(); });
}

}  // namespace skerry::edged
