// What of all that is due comes next, and when something is due otherwise.
#include <algorithm>
#include <utility>

#include "services/mappers/lib/core/device_cycle.h"

namespace skerry::mapper {
namespace {

// Of one report. Values have at most 32 KiB each, and twin-svc takes messages of 4 MiB.
constexpr size_t kTwinsMax = 100;
constexpr size_t kReportBytesMax = 1u << 20;

}  // namespace

std::optional<Effect> DeviceCycle::NextOperation(absl::Duration now) {
  if (operation_since_.has_value()) {
    if (online_ != false) WakeAt(*operation_since_ + 2 * plan_.operation_timeout);
    return std::nullopt;
  }
  const auto begin = [&](Effect operation) {
    operation_since_ = now;
    WakeAt(now + 2 * plan_.operation_timeout);
    return operation;
  };
  if (!connected_) {
    if (connect_due_ <= now) return begin(Connect{});
    WakeAt(connect_due_);
    return std::nullopt;
  }
  if (check_due_ <= now) return begin(Check{});
  absl::Duration next = check_due_;
  PropertyCycle* read = nullptr;
  PropertyCycle* write = nullptr;
  for (auto& [name, property] : properties_) {
    if (write == nullptr || property.write_due() < write->write_due()) write = &property;
    if (read == nullptr || property.read_due() < read->read_due()) read = &property;
  }
  if (write != nullptr) {
    if (write->write_due() <= now) return begin(Write{write->plan().name, write->desired()});
    if (read->read_due() <= now) {
      read->OnReadStarted(now);
      return begin(Read{read->plan().name});
    }
    next = std::min({next, write->write_due(), read->read_due()});
  }
  WakeAt(next);
  return std::nullopt;
}

std::optional<Effect> DeviceCycle::NextReport(absl::Duration now) {
  if (!link_up_ || reporting_ != Busy::kNo) return std::nullopt;
  const bool state = plan_.report_state && online_.has_value();
  if (now >= report_not_before_) {
    if (state && (!state_told_ || state_due_ <= now)) {
      state_told_ = true;
      state_due_ = now + plan_.state_cycle;
      reporting_ = Busy::kStateReport;
      return ReportState{*online_};
    }
    if (std::optional<Effect> report = CollectReport(now)) return report;
  }
  absl::Duration next = absl::InfiniteDuration();
  if (state) next = state_told_ ? state_due_ : report_not_before_;
  for (const auto& [name, property] : properties_) next = std::min(next, property.report_due());
  WakeAt(std::max(next, report_not_before_));
  return std::nullopt;
}

std::optional<Effect> DeviceCycle::CollectReport(absl::Duration now) {
  ReportTwins report;
  size_t bytes = 0;
  for (auto& [name, property] : properties_) {
    if (property.report_due() > now) continue;
    if (property.alone() && !report.twins.empty()) continue;
    bytes += property.report_bytes();
    if (!report.twins.empty() && bytes > kReportBytesMax) break;
    const bool alone = property.alone();
    in_report_.push_back(name);
    report.twins.push_back(property.StartReport(now));
    if (alone || report.twins.size() == kTwinsMax) break;
  }
  if (report.twins.empty()) return std::nullopt;
  reporting_ = Busy::kReport;
  return report;
}

void DeviceCycle::WakeAt(absl::Duration at) { wake_ = std::min(wake_, at); }

}  // namespace skerry::mapper
