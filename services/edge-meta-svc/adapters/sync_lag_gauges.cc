#include "services/edge-meta-svc/adapters/sync_lag_gauges.h"

namespace skerry::edgemeta {
namespace {

constexpr absl::Duration kShowEvery = absl::Seconds(5);

}  // namespace

SyncLagGauges::SyncLagGauges(const std::vector<std::string>& types, exec::SerialExecutor& executor,
                             Clock& clock, MetaMetrics& metrics)
    : executor_(executor), clock_(clock), lag_(types) {
  for (const std::string& type : types) gauges_[type] = &metrics.SyncBehind(type);
}

void SyncLagGauges::Linked(bool linked) {
  {
    absl::MutexLock lock(&mutex_);
    lag_.Linked(linked, clock_.Monotonic());
  }
  Show();
}

void SyncLagGauges::Subscribed(absl::string_view type) {
  {
    absl::MutexLock lock(&mutex_);
    lag_.Subscribed(type, clock_.Monotonic());
  }
  Show();
}

void SyncLagGauges::InStep(absl::string_view type) {
  {
    absl::MutexLock lock(&mutex_);
    lag_.InStep(type);
  }
  Show();
}

absl::Duration SyncLagGauges::Behind(absl::string_view type) const {
  absl::MutexLock lock(&mutex_);
  return lag_.Of(type, clock_.Monotonic());
}

void SyncLagGauges::Show() {
  const absl::Duration now = clock_.Monotonic();
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [type, gauge] : gauges_) gauge->Set(absl::ToDoubleSeconds(lag_.Of(type, now)));
    if (posted_ || !lag_.grows()) return;
  }
  posted_ = true;
  executor_.PostAfter(kShowEvery, [this] {
    posted_ = false;
    Show();
  });
}

}  // namespace skerry::edgemeta
