#include "services/mappers/lib/device_runner.h"

#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/lib/device/value_rules.h"

namespace skerry::mapper {

DeviceRunner::DeviceRunner(DeviceSetup setup, bool link_up, uint64_t seed, const Context& context)
    : setup_(std::move(setup)),
      context_(context),
      log_(context.log.With({{"device", setup_.device->name.value()}})),
      lane_(std::make_shared<DeviceLane>(setup_.device->name.name(), context.driver,
                                         setup_.plan.operation_timeout)),
      cycle_(setup_.plan, link_up, context.clock.Monotonic(), seed) {
  LogWarnings();
}

DeviceRunner::~DeviceRunner() { Retire(); }

void DeviceRunner::Start() { Step(Woken{}); }

void DeviceRunner::Replan(DeviceSetup setup) {
  // Desired values and cycles change often, and need no new connection.
  const bool reconnect = setup.device->protocol != setup_.device->protocol;
  setup_ = std::move(setup);
  LogWarnings();
  Step(Planned{setup_.plan, reconnect});
}

void DeviceRunner::SetLink(bool up) { Step(LinkChanged{up}); }

void DeviceRunner::Call(std::string method, std::map<std::string, std::string> arguments,
                        absl::Duration patience, DeviceLane::ValueDone done) {
  lane_->Call(std::move(method), std::move(arguments), patience,
              [weak = weak_from_this(), &executor = context_.executor,
               done = std::move(done)](absl::StatusOr<std::string> result) mutable {
                if (result.ok()) {
                  Post(weak, executor, [](DeviceRunner& self) { self.Step(MethodDone{}); });
                }
                done(std::move(result));
              });
}

std::shared_ptr<DeviceLane> DeviceRunner::Retire() {
  if (lane_ == nullptr) return nullptr;
  context_.executor.Cancel(timer_);
  if (noted_online_ == true) context_.metrics.devices_online.Decrement();
  lane_->Close();
  return std::exchange(lane_, nullptr);
}

template <typename Work>
void DeviceRunner::Post(const std::weak_ptr<DeviceRunner>& weak, exec::SerialExecutor& executor,
                        Work work) {
  executor.Post([weak, work = std::move(work)]() mutable {
    const std::shared_ptr<DeviceRunner> self = weak.lock();
    if (self != nullptr && self->lane_ != nullptr) work(*self);
  });
}

void DeviceRunner::Step(Event event) {
  const absl::Duration now = context_.clock.Monotonic();
  const Effects effects = cycle_.Step(std::move(event), now);
  NoteState();
  for (const Effect& effect : effects) {
    std::visit([this](const auto& what) { Perform(what); }, effect);
  }
  context_.executor.Cancel(timer_);
  if (cycle_.wake() == absl::InfiniteDuration()) return;
  timer_ = context_.executor.PostAfter(cycle_.wake() - now, [weak = weak_from_this()] {
    const std::shared_ptr<DeviceRunner> self = weak.lock();
    if (self != nullptr && self->lane_ != nullptr) self->Step(Woken{});
  });
}

void DeviceRunner::Perform(const Connect&) {
  lane_->Connect(setup_.device,
                 [weak = weak_from_this(), &executor = context_.executor](absl::Status status) {
                   Post(weak, executor, [status = std::move(status)](DeviceRunner& self) {
                     self.NoteResult("connect", status);
                     self.Step(ConnectDone{status});
                   });
                 });
}

void DeviceRunner::Perform(const Read& read) {
  lane_->Read(setup_.device, read.property,
              [weak = weak_from_this(), &executor = context_.executor, &clock = context_.clock,
               property = read.property](absl::StatusOr<std::string> value) {
                ReadDone done{property, std::move(value), clock.Now()};
                Post(weak, executor, [done = std::move(done)](DeviceRunner& self) mutable {
                  MapperMetrics& metrics = self.context_.metrics;
                  (done.value.ok() ? metrics.reads_ok : metrics.reads_failed).Increment();
                  self.NoteResult(absl::StrCat("read ", done.property), done.value.status());
                  self.Step(std::move(done));
                });
              });
}

void DeviceRunner::Perform(const Write& write) {
  lane_->Write(setup_.device, write.property, write.value,
               [weak = weak_from_this(), &executor = context_.executor, &clock = context_.clock,
                write](absl::Status status) {
                 WriteDone done{write.property, write.value, std::move(status), clock.Now()};
                 Post(weak, executor, [done = std::move(done)](DeviceRunner& self) mutable {
                   MapperMetrics& metrics = self.context_.metrics;
                   (done.status.ok() ? metrics.writes_ok : metrics.writes_failed).Increment();
                   self.NoteResult(absl::StrCat("write ", done.property), done.status);
                   self.Step(std::move(done));
                 });
               });
}

void DeviceRunner::Perform(const Check&) {
  lane_->Check([weak = weak_from_this(), &executor = context_.executor](absl::Status status) {
    Post(weak, executor, [status = std::move(status)](DeviceRunner& self) {
      self.NoteResult("check", status);
      self.Step(CheckDone{status});
    });
  });
}

v1beta1::TwinProperty DeviceRunner::ToProto(const std::string& property, const Value& value) const {
  v1beta1::TwinProperty twin;
  twin.set_value(value.text);
  (*twin.mutable_metadata())["timestamp"] = absl::StrCat(absl::ToUnixMillis(value.at));
  for (const DriverProperty& each : setup_.device->properties) {
    if (each.model.name != property) continue;
    (*twin.mutable_metadata())["type"] = absl::AsciiStrToLower(device::NameOf(each.model.type));
  }
  return twin;
}

void DeviceRunner::Perform(const ReportTwins& report) {
  v1beta1::ReportDeviceStatusRequest request;
  request.set_devicename(setup_.device->name.name());
  request.set_devicenamespace(setup_.device->name.device_namespace());
  for (const TwinReport& each : report.twins) {
    v1beta1::Twin& twin = *request.mutable_reporteddevice()->add_twins();
    twin.set_propertyname(each.property);
    // KubeEdge's server crashes where one of the two is missing.
    twin.mutable_observeddesired();
    twin.mutable_reported();
    if (each.observed_desired.has_value()) {
      *twin.mutable_observeddesired() = ToProto(each.property, *each.observed_desired);
    }
    if (each.reported.has_value()) {
      *twin.mutable_reported() = ToProto(each.property, *each.reported);
    }
  }
  context_.twin.ReportStatus(
      std::move(request),
      [weak = weak_from_this(), &executor = context_.executor](absl::Status status) {
        Post(weak, executor, [status](DeviceRunner& self) { self.OnReported(status); });
      });
}

void DeviceRunner::Perform(const ReportState& report) {
  v1beta1::ReportDeviceStatesRequest request;
  request.set_devicename(setup_.device->name.name());
  request.set_devicenamespace(setup_.device->name.device_namespace());
  request.set_state(report.online ? "online" : "offline");
  context_.twin.ReportStates(
      std::move(request),
      [weak = weak_from_this(), &executor = context_.executor](absl::Status status) {
        Post(weak, executor, [status](DeviceRunner& self) { self.OnReported(status); });
      });
}

void DeviceRunner::OnReported(const absl::Status& status) {
  (status.ok() ? context_.metrics.reports_ok : context_.metrics.reports_failed).Increment();
  // First, so that what failed waits for the registration.
  if (status.code() == absl::StatusCode::kUnavailable) {
    context_.twin_gone();
  } else {
    NoteResult("report", status);
  }
  Step(ReportDone{status});
}

void DeviceRunner::NoteState() {
  const std::optional<bool> online = cycle_.online();
  if (online == noted_online_) return;
  if (online == true) {
    log_.Info("the device is online");
    context_.metrics.devices_online.Increment();
  } else {
    log_.Warning("the device is offline");
    if (noted_online_ == true) context_.metrics.devices_online.Decrement();
  }
  noted_online_ = online;
}

void DeviceRunner::NoteResult(const std::string& what, const absl::Status& status) {
  if (status.ok()) {
    failing_.erase(what);
  } else if (failing_.insert(what).second) {
    log_.Warning("an operation of the device failed", status, {{"operation", what}});
  }
}

void DeviceRunner::LogWarnings() const {
  for (const absl::Status& warning : setup_.warnings) {
    log_.Warning("a setting of the device is passed over", warning);
  }
}

}  // namespace skerry::mapper
