#include "services/mappers/lib/mapper.h"

#include <optional>
#include <utility>
#include <vector>

#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/mappers/lib/core/registration.h"
#include "services/mappers/lib/device_table.h"
#include "services/mappers/lib/twin_client.h"

namespace skerry::mapper {
namespace {

constexpr char kApiVersion[] = "v1beta1";

absl::Status Stopping() {
  return Error(absl::StatusCode::kUnavailable, "the mapper is stopping").Reason("DRAINING");
}

}  // namespace

// Beside the objects themselves, all of it is used on the executor.
struct Mapper::Impl {
  Impl(const MapperOptions& o, Driver& driver, Clock& c, MapperMetrics& m, const log::Logger& l,
       std::function<void(bool)> r, std::unique_ptr<TwinClient> t)
      : options(o),
        clock(c),
        metrics(m),
        log(l),
        on_registered(std::move(r)),
        twin(std::move(t)),
        executor("mapper", clock),
        registration(clock.Monotonic(), o.seed),
        table({o.protocol, o.devices_max, o.models_max, o.seed},
              {driver, executor, clock, *twin, metrics, log,
               [this] { Apply(registration.OnCallFailed(clock.Monotonic())); }}) {}

  void Apply(Registration::Result result);
  void Watch();
  void Register();
  void OnRegistered(uint64_t attempt,
                    const absl::StatusOr<v1beta1::MapperRegisterResponse>& response);

  // On the executor; UNAVAILABLE after Stop.
  template <typename Work>
  absl::Status Run(Work work) {
    absl::Status status = Stopping();
    executor.Run([&] {
      if (!stopped) status = work(table);
    });
    return status;
  }
  template <typename Work>
  void Post(Work work) {
    executor.Post([this, work = std::move(work)]() mutable {
      if (!stopped) work();
    });
  }

  const MapperOptions options;
  Clock& clock;
  MapperMetrics& metrics;
  const log::Logger log;
  const std::function<void(bool)> on_registered;
  std::unique_ptr<TwinClient> twin;
  exec::SerialExecutor executor;
  Registration registration;
  DeviceTable table;
  bool stopped = false;
  bool told_up = false;
  bool complained = false;  // Of twin-svc's absence.
  exec::SerialExecutor::TimerId timer = 0;
};

void Mapper::Impl::Apply(Registration::Result result) {
  if (result.end_watch) twin->EndWatch();
  const bool up = registration.up();
  if (std::exchange(told_up, up) != up) {
    metrics.registered.Set(up ? 1 : 0);
    if (!up) log.Warning("twin-svc is away: what it is to know is kept");
    table.SetLink(up);
    if (on_registered) on_registered(up);
  }
  if (result.action == Registration::Action::kWatch) Watch();
  if (result.action == Registration::Action::kRegister) Register();
  executor.Cancel(timer);
  if (registration.wake() == absl::InfiniteDuration()) return;
  timer = executor.PostAfter(registration.wake() - clock.Monotonic(), [this] {
    if (!stopped) Apply(registration.Step(clock.Monotonic()));
  });
}

void Mapper::Impl::Watch() {
  const uint64_t attempt = registration.attempt();
  twin->WatchHealth(
      [this, attempt](bool serving) {
        Post([this, attempt, serving] {
          Apply(registration.OnHealth(attempt, serving, clock.Monotonic()));
        });
      },
      [this, attempt](absl::Status status) {
        Post([this, attempt, status = std::move(status)] {
          Apply(registration.OnWatchEnded(attempt, status, clock.Monotonic()));
        });
      });
}

void Mapper::Impl::Register() {
  table.BeginSync();
  v1beta1::MapperRegisterRequest request;
  request.set_withdata(true);
  v1beta1::MapperInfo& info = *request.mutable_mapper();
  info.set_name(options.name);
  info.set_version(options.version);
  info.set_api_version(kApiVersion);
  info.set_protocol(options.protocol);
  info.set_address(options.socket_path);
  info.set_state("ok");
  const uint64_t attempt = registration.attempt();
  twin->Register(std::move(request), [this, attempt](
                                         absl::StatusOr<v1beta1::MapperRegisterResponse> response) {
    Post([this, attempt, response = std::move(response)] { OnRegistered(attempt, response); });
  });
}

void Mapper::Impl::OnRegistered(uint64_t attempt,
                                const absl::StatusOr<v1beta1::MapperRegisterResponse>& response) {
  const Registration::Result result =
      registration.OnRegistered(attempt, response.status(), clock.Monotonic());
  if (response.ok() && registration.up()) {
    metrics.registrations_ok.Increment();
    complained = false;
    // Before reports go on: the state of what is gone is not reported.
    table.Sync(*response);
    log.Info("registered with twin-svc",
             {{"devices", response->devicelist_size()}, {"models", response->modellist_size()}});
  } else if (!response.ok()) {
    metrics.registrations_failed.Increment();
    if (!std::exchange(complained, true)) {
      log.Warning("twin-svc does not register this mapper; it is tried again", response.status());
    }
  }
  Apply(result);
}

absl::StatusOr<std::unique_ptr<Mapper>> Mapper::Create(const MapperOptions& options, Driver& driver,
                                                       Clock& clock, MapperMetrics& metrics,
                                                       const log::Logger& log,
                                                       std::function<void(bool)> on_registered) {
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<TwinClient> twin,
                          TwinClient::Create(options.twin_address));
  return std::unique_ptr<Mapper>(new Mapper(std::make_unique<Impl>(
      options, driver, clock, metrics, log, std::move(on_registered), std::move(twin))));
}

Mapper::Mapper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Mapper::~Mapper() { Stop(); }

void Mapper::Start() {
  impl_->Post([this] { impl_->Apply(impl_->registration.Step(impl_->clock.Monotonic())); });
}

void Mapper::Stop() {
  std::vector<std::shared_ptr<DeviceLane>> lanes;
  impl_->executor.Run([&] {
    impl_->stopped = true;
    lanes = impl_->table.Retire();
  });
  impl_->twin->End();
  // All are closed, so that those that hang come to their end at the same time.
  for (const std::shared_ptr<DeviceLane>& lane : lanes) lane->Stop();
  impl_->executor.Stop();
}

absl::Status Mapper::PutDevice(const v1beta1::Device& device) {
  return impl_->Run([&](DeviceTable& table) { return table.PutDevice(device); });
}

absl::Status Mapper::RemoveDevice(absl::string_view device_namespace, absl::string_view name) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName parsed, DeviceName::Make(device_namespace, name));
  return impl_->Run([&](DeviceTable& table) { return table.RemoveDevice(parsed); });
}

absl::Status Mapper::PutModel(const v1beta1::DeviceModel& model) {
  return impl_->Run([&](DeviceTable& table) { return table.PutModel(model); });
}

absl::Status Mapper::RemoveModel(absl::string_view model_namespace, absl::string_view name) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName parsed, DeviceName::Make(model_namespace, name));
  return impl_->Run([&](DeviceTable& table) { return table.RemoveModel(parsed); });
}

absl::StatusOr<v1beta1::Device> Mapper::GetDevice(absl::string_view device_namespace,
                                                  absl::string_view name) {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName parsed, DeviceName::Make(device_namespace, name));
  v1beta1::Device device;
  SKERRY_RETURN_IF_ERROR(impl_->Run([&](DeviceTable& table) {
    absl::StatusOr<v1beta1::Device> found = table.GetDevice(parsed);
    if (found.ok()) device = *std::move(found);
    return found.status();
  }));
  return device;
}

void Mapper::Call(const DeviceName& device, std::string method,
                  std::map<std::string, std::string> arguments, absl::Duration patience,
                  DeviceLane::ValueDone done) {
  const auto held = std::make_shared<DeviceLane::ValueDone>(std::move(done));
  const bool posted =
      impl_->executor.Post([impl = impl_.get(), device, method = std::move(method),
                            arguments = std::move(arguments), patience, held]() mutable {
        if (impl->stopped) return (*held)(Stopping());
        const absl::StatusOr<DeviceRunner*> runner = impl->table.Find(device);
        if (!runner.ok()) return (*held)(runner.status());
        (*runner)->Call(std::move(method), std::move(arguments), patience, std::move(*held));
      });
  if (!posted) (*held)(Stopping());
}

}  // namespace skerry::mapper
