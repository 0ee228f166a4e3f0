#include "services/mappers/lib/core/device_cycle.h"

#include <algorithm>
#include <utility>

namespace skerry::mapper {
namespace {

constexpr absl::Duration kConnectRetryMin = absl::Milliseconds(500);
constexpr absl::Duration kConnectRetryMax = absl::Seconds(30);
constexpr absl::Duration kReportRetryMin = absl::Milliseconds(500);
constexpr absl::Duration kReportRetryMax = absl::Seconds(10);

// The device does not answer.
bool IsLost(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable ||
         status.code() == absl::StatusCode::kDeadlineExceeded;
}

// However the jitter falls, a moment passes.
absl::Duration PauseOf(link::Backoff& backoff, absl::Duration min) {
  return min / 2 + backoff.Next();
}

// The same report would be refused again.
bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

}  // namespace

DeviceCycle::DeviceCycle(DevicePlan plan, bool link_up, absl::Duration now, uint64_t seed)
    : plan_(std::move(plan)),
      seed_(seed),
      connect_due_(now),
      connect_backoff_(kConnectRetryMin, kConnectRetryMax, seed),
      check_due_(now),
      link_up_(link_up),
      state_due_(now),
      report_not_before_(now),
      report_backoff_(kReportRetryMin, kReportRetryMax, ~seed) {
  MakeProperties(now);
}

Effects DeviceCycle::Step(Event event, absl::Duration now) {
  std::visit([&](auto& what) { Handle(what, now); }, event);
  wake_ = absl::InfiniteDuration();
  Effects effects;
  if (std::optional<Effect> operation = NextOperation(now)) effects.push_back(*operation);
  if (std::optional<Effect> report = NextReport(now)) effects.push_back(*std::move(report));
  return effects;
}

void DeviceCycle::MakeProperties(absl::Duration now) {
  std::map<std::string, PropertyCycle> former = std::move(properties_);
  properties_.clear();
  for (const PropertyPlan& plan : plan_.properties) {
    const auto known = former.find(plan.name);
    if (known == former.end()) {
      properties_.emplace(plan.name, PropertyCycle(plan, now, ++seed_));
    } else {
      known->second.Replan(plan, now);
      properties_.insert(former.extract(known));
    }
  }
}

PropertyCycle* DeviceCycle::Find(const std::string& name) {
  const auto it = properties_.find(name);
  return it == properties_.end() ? nullptr : &it->second;
}

void DeviceCycle::Handle(Planned& event, absl::Duration now) {
  plan_ = std::move(event.plan);
  MakeProperties(now);
  state_due_ = std::min(state_due_, now + plan_.state_cycle);
  check_due_ = std::min(check_due_, now + plan_.state_cycle);
  if (!event.reconnect) return;
  connect_backoff_.Reset();
  connect_due_ = now;
  reconnect_ = operation_since_.has_value();
  connected_ = false;
  for (auto& [name, property] : properties_) property.ForgetWritten(now);
}

void DeviceCycle::Handle(LinkChanged& event, absl::Duration now) {
  link_up_ = event.up;
  if (!link_up_) return;
  report_backoff_.Reset();
  report_not_before_ = now;
  // What was told to a twin-svc that is gone is told again with the next reading; the state has
  // none.
  state_told_ = !online_.has_value();
}

void DeviceCycle::Handle(ConnectDone& event, absl::Duration now) {
  operation_since_.reset();
  if (std::exchange(reconnect_, false)) return;  // Of a connection that is no longer meant.
  if (event.status.ok()) {
    // That alone proves nothing (UDP has no connections): the device is online when it answers.
    connected_ = true;
    check_due_ = now;
    for (auto& [name, property] : properties_) property.OnReturned();
    return;
  }
  Lose(now);
}

void DeviceCycle::Handle(ReadDone& event, absl::Duration now) {
  if (!EndOperation(event.value.status(), now)) return;
  PropertyCycle* property = Find(event.property);
  if (property == nullptr) return;
  if (event.value.ok()) {
    property->OnRead({*std::move(event.value), event.at}, now);
  } else {
    property->OnReadFailed();
  }
}

void DeviceCycle::Handle(WriteDone& event, absl::Duration now) {
  if (!EndOperation(event.status, now)) return;
  PropertyCycle* property = Find(event.property);
  if (property == nullptr) return;
  if (event.status.ok()) {
    property->OnWritten({std::move(event.value), event.at}, now);
  } else {
    property->OnWriteFailed(now);
  }
}

void DeviceCycle::Handle(CheckDone& event, absl::Duration now) { EndOperation(event.status, now); }

void DeviceCycle::Handle(MethodDone&, absl::Duration now) {
  for (auto& [name, property] : properties_) property.ReadNow(now);
}

void DeviceCycle::Handle(ReportDone& event, absl::Duration now) {
  const Busy kind = std::exchange(reporting_, Busy::kNo);
  const std::vector<std::string> told = std::exchange(in_report_, {});
  const bool refused = IsRefusal(event.status);
  if (event.status.ok()) {
    report_backoff_.Reset();
  } else if (!refused) {
    report_not_before_ = now + PauseOf(report_backoff_, kReportRetryMin);
  }
  if (kind == Busy::kStateReport) {
    if (!event.status.ok() && !refused) state_told_ = false;
    return;
  }
  for (const std::string& name : told) {
    PropertyCycle* property = Find(name);
    if (property == nullptr) continue;
    if (event.status.ok()) {
      property->OnReported();
    } else if (refused) {
      property->OnReportRefused(told.size() == 1);
    } else {
      property->OnReportFailed();
    }
  }
}

void DeviceCycle::Handle(Woken&, absl::Duration now) {
  // A driver that keeps its thread for much longer than it may: nobody knows how the device is.
  if (operation_since_.has_value() && now >= *operation_since_ + 2 * plan_.operation_timeout) {
    SetOnline(false);
  }
}

bool DeviceCycle::EndOperation(const absl::Status& status, absl::Duration now) {
  operation_since_.reset();
  if (std::exchange(reconnect_, false)) return false;
  if (IsLost(status)) {
    Lose(now);
    return true;
  }
  connect_backoff_.Reset();
  check_due_ = now + plan_.state_cycle;
  SetOnline(true);
  return true;
}

void DeviceCycle::Lose(absl::Duration now) {
  connected_ = false;
  connect_due_ = now + PauseOf(connect_backoff_, kConnectRetryMin);
  SetOnline(false);
}

void DeviceCycle::SetOnline(bool online) {
  if (online_ == online) return;
  online_ = online;
  state_told_ = false;
}

}  // namespace skerry::mapper
