#include "services/edged-svc/runner/runtime_health.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::edged {

RuntimeHealth::RuntimeHealth(Runtime& runtime, Clock& clock, Options options, Listener listener)
    : runtime_(runtime),
      clock_(clock),
      options_(options),
      listener_(std::move(listener)),
      last_list_(clock.Monotonic()),
      executor_("health", clock) {}

void RuntimeHealth::Relisted(const absl::Status& status) {
  bool ask = false;
  {
    absl::MutexLock lock(&mutex_);
    ask = list_failed_ == status.ok();  // It came or went: do not wait for the period.
    list_failed_ = !status.ok();
    if (status.ok()) last_list_ = clock_.Monotonic();
  }
  if (ask) Ask(false);
}

RuntimeHealth::State RuntimeHealth::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

void RuntimeHealth::Ask(bool force) {
  executor_.Post([this, force] { Run(force); });
}

void RuntimeHealth::Run(bool force) {
  const absl::StatusOr<RuntimeStatus> status = runtime_.Status();
  State state;
  {
    absl::MutexLock lock(&mutex_);
    executor_.Cancel(timer_);
    if (status.ok()) {
      state_ = {status->name, status->version, status->message,
                status->ready && status->network_ready};
      const absl::Duration silence = clock_.Monotonic() - last_list_;
      if (silence > options_.silence_max) {
        state_.ready = false;
        state_.message = absl::StrCat("PLEG is not healthy: pleg was last seen active ",
                                      absl::FormatDuration(silence), " ago");
      } else if (!state_.ready) {
        state_.message = absl::StrCat("container runtime network not ready: ", state_.message);
      }
    } else {
      state_.ready = false;
      state_.message = absl::StrCat("container runtime is down: ", status.status().message());
    }
    state = state_;
    timer_ = executor_.PostAfter(options_.period, [this] { Run(false); });
  }
  listener_(state, force);
}

}  // namespace skerry::edged
