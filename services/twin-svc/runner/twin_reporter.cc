#include "services/twin-svc/runner/twin_reporter.h"

#include <optional>
#include <utility>

#include "services/lib/base/error.h"
#include "services/twin-svc/wire/report_wire.h"

namespace skerry::twin {

void TwinReporter::OnEvents(const std::vector<TwinEvent>& events) {
  absl::MutexLock lock(&mutex_);
  for (const TwinEvent& event : events) {
    if (event.changed) Note(event.device, event.twin == nullptr);
  }
  if (!noted_.empty()) Post();
}

void TwinReporter::Changed(const std::vector<DeviceName>& devices) {
  absl::MutexLock lock(&mutex_);
  for (const DeviceName& device : devices) Note(device, false);
  Post();
}

void TwinReporter::Wake() {
  absl::MutexLock lock(&mutex_);
  Post();
}

void TwinReporter::Note(const DeviceName& device, bool gone) { noted_[device] = gone; }

void TwinReporter::Post() {
  if (!std::exchange(posted_, true)) executor_.Post([this] { Pump(); });
}

void TwinReporter::Pump() {
  std::map<DeviceName, bool> noted;
  {
    absl::MutexLock lock(&mutex_);
    posted_ = false;
    noted.swap(noted_);
  }
  const absl::Duration now = clock_.Monotonic();
  for (const auto& [device, gone] : noted) {
    if (gone) {
      plan_.Gone(device);
    } else {
      plan_.Changed(device, now);
    }
  }
  while (hub_.attached()) {
    const std::optional<DeviceName> next = plan_.Next(now);
    if (!next.has_value()) break;
    Put(*next);
  }
  metrics_.reports_due.Set(static_cast<double>(plan_.due() + plan_.under_way()));
  const absl::Duration wake = hub_.attached() ? plan_.NextWake() : absl::InfiniteDuration();
  if (wake >= wake_) return;
  if (timer_ != 0) executor_.Cancel(timer_);
  wake_ = wake;
  timer_ = executor_.PostAfter(wake - now, [this] {
    timer_ = 0;
    wake_ = absl::InfiniteDuration();
    Pump();
  });
}

void TwinReporter::Put(const DeviceName& device) {
  const absl::StatusOr<TwinPtr> twin = desk_.Get(device);
  if (!twin.ok()) {
    // It is gone, which the plan has yet to hear.
    return plan_.Done(device, false, absl::ZeroDuration(), clock_.Monotonic());
  }
  SerializedReport report = TwinReportOf(device, **twin);
  if (report.left_out != v1::TwinReport::LEFT_OUT_UNSPECIFIED) metrics_.reports_cut.Increment();
  hub_.PutReport(kTwinReports, device.value(), (*twin)->generation, std::move(report.value),
                 [this, device, revision = (*twin)->revision](absl::Status status) {
                   Ended(device, revision, status);
                 });
}

void TwinReporter::Ended(const DeviceName& device, uint64_t revision, const absl::Status& status) {
  const std::string reason = GetErrorInfo(status).reason;
  if (reason == "STOPPING") return;
  const bool again = reason == "HUB_BUSY";
  plan_.Done(device, again, options_.retry, clock_.Monotonic());
  if (!again) {
    if (!status.ok()) {
      log_.Error("edgehub-svc refused a twin for good", status, {{"device", device.value()}});
    }
    desk_.NoteReported(device, revision);
  }
  Wake();
}

}  // namespace skerry::twin
