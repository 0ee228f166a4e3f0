// The mappers of this box: takes their registrations, keeps each told of its devices, calls
// methods.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_DESK_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_DESK_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/dmi/away_states.h"
#include "services/twin-svc/dmi/device_catalog.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/dmi/mapper_link.h"
#include "services/twin-svc/dmi/wanted_devices.h"
#include "services/twin-svc/runner/device_sink.h"
#include "services/twin-svc/runner/method_caller.h"
#include "services/twin-svc/runner/twin_desk.h"
#include "services/twin-svc/store/mapper_store.h"

namespace skerry::twin {

// Any thread may call it, and is not waited for; `done` is called once, on a thread of the desk or
// of gRPC, and must not block. All state of mappers is on one executor. What is waiting there is
// names of devices and models, each once, and what callers of Register and CallMethod wait for.
// What is given to Create outlives it.
class MapperDesk final : public DeviceSink, public MethodCaller {
 public:
  struct Options {
    size_t mappers_max = 64;  // Beyond, one more is RESOURCE_EXHAUSTED / MAPPERS_FULL.
    absl::Duration call_timeout = absl::Seconds(10);  // Of a call to a mapper.
    int method_calls_max = 64;                        // Under way, for each mapper.
    // > 0. Of a mapper that has been silent for so long, devices that were online are "unknown".
    absl::Duration away_after = absl::Seconds(10);
    // Of the answer to a registration: clients in Go take 4 MiB. What it has no room for is told by
    // calls.
    size_t answer_bytes_max = 3u << 20;
  };
  using RegisterDone = absl::AnyInvocable<void(absl::StatusOr<v1beta1::MapperRegisterResponse>)>;

  static absl::StatusOr<std::unique_ptr<MapperDesk>> Create(const Options& options,
                                                            MapperStore& store, TwinDesk& twins,
                                                            Clock& clock, DmiMetrics& metrics,
                                                            const log::Logger& log);
  ~MapperDesk() override;  // Stop().

  // DeviceSink. Before the first OnSynced nothing is told to any mapper: nobody knows what is gone.
  absl::Status PutDevice(const device::DeviceSpec& spec, const nlohmann::json& device) override;
  void DropDevice(const DeviceName& name) override;
  absl::Status PutModel(const ObjectKey& name, const nlohmann::json& model) override;
  void DropModel(const ObjectKey& name) override;
  void OnSynced() override;
  // What a commit of the twins changed.
  void OnTwins(const std::vector<TwinEvent>& events);

  // Of several mappers of a protocol the one that registered last has its devices; the others are
  // told to let them go. Without data it is only answered: KubeEdge calls such a mapper no more
  // than we do. Waits up to `patience` for the box's devices to be known, then UNAVAILABLE /
  // DEVICES_NOT_KNOWN. INVALID_ARGUMENT names the field.
  void Register(v1beta1::MapperRegisterRequest request, absl::Duration patience, RegisterDone done);

  // MethodCaller: calls the mapper of the device's protocol. INVALID_ARGUMENT names the field;
  // NOT_FOUND / DEVICE_UNKNOWN, which is known once the box's devices are: until then calls wait,
  // up to `timeout`, then UNAVAILABLE / DEVICES_NOT_KNOWN, and at most 64, then RESOURCE_EXHAUSTED
  // / MAPPERS_BUSY; UNAVAILABLE / MAPPER_AWAY where no mapper of the protocol has registered, or it
  // is not there; the errors of MapperLink::CallMethod and of the mapper.
  void CallMethod(v1::MethodCall call, absl::Duration timeout, Done done) override;

  // Who writes what is reported of the device: "mapper:<name>", or "mapper".
  std::string WriterOf(const DeviceName& device) const;
  // The same; it has just reported something of the device, and so is there.
  std::string ReportedBy(const DeviceName& device);

  // Registrations that wait, and those that come, are UNAVAILABLE / DRAINING.
  void Drain();
  // Ends calls to mappers. Idempotent.
  void Stop();

 private:
  // What goes on once the box's devices are known, or the desk stops (true), or its patience is
  // over.
  struct Waiting {
    absl::AnyInvocable<void(bool in_time)> go;
    exec::SerialExecutor::TimerId timer;
  };
  using WaitingById = std::map<uint64_t, Waiting>;

  MapperDesk(const Options& options, MapperStore& store, TwinDesk& twins, Clock& clock,
             DmiMetrics& metrics, const log::Logger& log);

  absl::Status Restore();  // Of the stored mappers.
  // Runs `work` with `done` on the executor, or answers why not.
  template <typename Response>
  void Post(absl::AnyInvocable<void(absl::StatusOr<Response>)> done,
            absl::AnyInvocable<void(absl::AnyInvocable<void(absl::StatusOr<Response>)>)> work);
  void PostDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // On the executor from here on. Takes over at most so many changes; false: there are more.
  bool TakeDue(size_t count_max);
  void RunDue();
  void PumpAll();
  void DoRegister(v1beta1::MapperRegisterRequest request, absl::Duration patience,
                  RegisterDone done);
  absl::StatusOr<v1beta1::MapperRegisterResponse> Answer(
      const v1beta1::MapperRegisterRequest& request);
  absl::StatusOr<std::shared_ptr<MapperLink>> LinkFor(const MapperRecord& record);
  void MakeActive(const std::shared_ptr<MapperLink>& link);
  MapperLink::Context ContextFor(const MapperRecord& record);
  void Forget(const std::string& mapper);
  void Wait(WaitingById& among, absl::Duration patience, absl::AnyInvocable<void(bool in_time)> go);
  void AnswerWaiting();
  // Of the device's protocol; null where none has registered.
  MapperLink* LinkOf(const DeviceCatalog::Entry& entry);
  // The device is new, or another one.
  void UpdateDevice(const DeviceName& device);
  void DoCall(v1::MethodCall call, absl::Duration timeout, Done done);

  const Options options_;
  MapperStore& store_;
  Clock& clock_;
  DmiMetrics& metrics_;
  const log::Logger log_;
  DeviceCatalog catalog_;
  mutable absl::Mutex mutex_;
  std::set<DeviceName> due_ ABSL_GUARDED_BY(mutex_);
  std::set<ObjectKey> due_models_ ABSL_GUARDED_BY(mutex_);
  bool due_posted_ ABSL_GUARDED_BY(mutex_) = false;
  // What is desired of a twin, as a hash: most changes of twins are none for its mapper.
  std::map<DeviceName, uint64_t> desired_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> mapper_of_ ABSL_GUARDED_BY(mutex_);  // By protocol.
  std::atomic<int> posted_ = 0;
  std::set<std::string> reported_ ABSL_GUARDED_BY(mutex_);  // Protocols whose mapper did.
  // On the executor.
  WantedDevices wanted_;
  AwayStates states_;
  std::map<std::string, std::shared_ptr<MapperLink>> links_;  // By the mapper's name.
  std::map<std::string, std::string> active_;                 // Protocol to name.
  bool synced_ = false;
  bool draining_ = false;
  WaitingById registrations_waiting_;  // At most mappers_max.
  WaitingById calls_waiting_;          // At most 64.
  uint64_t last_waiting_ = 0;
  exec::SerialExecutor executor_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_DESK_H_
