// Keeps one mapper told of its devices and models.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_LINK_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_LINK_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/twin-svc/core/mapper_record.h"
#include "services/twin-svc/core/mapper_sync.h"
#include "services/twin-svc/dmi/dmi_metrics.h"
#include "services/twin-svc/dmi/mapper_client.h"
#include "services/twin-svc/dmi/mapper_watch.h"
#include "services/twin-svc/store/mapper_store.h"

namespace skerry::twin {

// Runs a MapperSync: one call at a time to the mapper, what was told in the store. Used, and
// destroyed, on the executor only. All of Context outlives it.
class MapperLink : public std::enable_shared_from_this<MapperLink> {
 public:
  struct Context {
    exec::SerialExecutor& executor;
    Clock& clock;
    MapperStore& store;
    DmiMetrics& metrics;
    const log::Logger& log;
    // What the mapper is told, by "namespace/name". Where that is an error, it is tried again.
    std::function<absl::StatusOr<v1beta1::Device>(const std::string& name)> device;
    std::function<absl::StatusOr<v1beta1::DeviceModel>(const std::string& name)> model;
    absl::Duration call_timeout;
    int method_calls_max;  // At a time; beyond, RESOURCE_EXHAUSTED / MAPPER_BUSY.
    MapperWatch::Context watch;
  };

  static absl::StatusOr<std::shared_ptr<MapperLink>> Create(MapperRecord record,
                                                            const Context& context);
  ~MapperLink();

  // What is wanted; Pump tells it.
  MapperSync& sync() { return sync_; }
  // Says what there is to say. After each change of sync().
  void Pump();

  // Its row and all that it was told are in the store then, if that works: a mapper whose
  // registration can't be stored is served all the same. The path may be another one.
  absl::Status Registered(MapperRecord record, const MapperSync::LeftOut& left_out);
  // Nothing is wanted of it any more. Pump tells it so as far as it listens, then `drained` is
  // called, on the executor.
  void Retire(std::function<void()> drained) { drained_ = std::move(drained); }
  bool retired() const { return drained_ != nullptr; }

  // The errors of DeviceMethodService, and UNAVAILABLE / MAPPER_AWAY, UNIMPLEMENTED /
  // METHODS_UNSUPPORTED of a mapper that has none, RESOURCE_EXHAUSTED / MAPPER_BUSY. `done` is
  // called once, on gRPC's threads or at once.
  void CallMethod(v1::MethodCall call, absl::Duration timeout, MapperClient::MethodDone done);

  const MapperRecord& record() const { return record_; }
  // Asks from now on whether it is there; of one that registers without being told so.
  void Watch();
  MapperWatch& watch() { return watch_; }

 private:
  MapperLink(MapperRecord record, const Context& context, std::unique_ptr<MapperClient> client);

  // False where the call could not be made.
  bool Perform(const MapperSync::Call& call);
  void OnDone(const absl::Status& status);
  void NoteResult(const absl::Status& status);
  void SaveTold();
  void NoteStore(const absl::Status& status);
  void Count();
  void Ask();  // Whether it is there: again and again.
  void OnAsked(const absl::Status& status);

  MapperRecord record_;
  const Context context_;
  const log::Logger log_;
  std::unique_ptr<MapperClient> client_;
  MapperSync sync_;
  MapperSync::Call call_{};        // The last one.
  std::set<std::string> failing_;  // Devices and models of which an error was logged.
  bool complained_ = false;        // Of the mapper's absence.
  std::function<void()> drained_;
  MapperWatch watch_;
  bool watching_ = false;
  absl::Duration asked_;
  exec::SerialExecutor::TimerId ask_timer_ = 0;
  exec::SerialExecutor::TimerId timer_ = 0;
  size_t counted_behind_ = 0;
  bool counted_away_ = false;
  std::shared_ptr<std::atomic<int>> method_calls_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_LINK_H_
