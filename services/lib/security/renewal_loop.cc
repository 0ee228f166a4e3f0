#include "services/lib/security/renewal_loop.h"

#include <algorithm>
#include <utility>

namespace skerry::security {
namespace {

constexpr absl::Duration kWaitMin = absl::Seconds(1);
constexpr absl::Duration kWaitMax = absl::Hours(1);
constexpr absl::Duration kWaitAfterFailure = absl::Seconds(10);

prometheus::Counter& CounterOf(metrics::Registry& registry, const char* result) {
  return registry.Counter("skerry_certificate_renewals_total",
                          "Certificates of this service that were issued anew, and passes that "
                          "failed.",
                          {{"result", result}});
}

}  // namespace

RenewalLoop::RenewalLoop(const RenewalReport& first, Pass pass, Clock& clock,
                         metrics::Registry& registry, const log::Logger& log)
    : pass_(std::move(pass)),
      clock_(clock),
      registry_(registry),
      log_(log),
      renewed_(CounterOf(registry, "renewed")),
      failed_(CounterOf(registry, "failed")),
      executor_("renewal", clock) {
  Observe(first);
}

void RenewalLoop::Run() {
  absl::StatusOr<RenewalReport> report = pass_();
  if (report.ok()) return Observe(*report);
  failed_.Increment();
  log_.Error("renewing certificates failed", report.status());
  RunAfter(kWaitAfterFailure);
}

void RenewalLoop::Observe(const RenewalReport& report) {
  renewed_.Increment(report.renewed);
  for (const auto& [name, time] : report.expire_times) {
    registry_
        .Gauge("skerry_certificate_expire_timestamp_seconds",
               "When a certificate of this service ends.", {{"certificate", name}})
        .Set(absl::ToDoubleSeconds(time - absl::UnixEpoch()));
  }
  RunAfter(std::clamp(report.next_time - clock_.Now(), kWaitMin, kWaitMax));
}

void RenewalLoop::RunAfter(absl::Duration delay) {
  executor_.PostAfter(delay, [this] { Run(); });
}

}  // namespace skerry::security
