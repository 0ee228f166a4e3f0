// Runs one device: performs what its DeviceCycle decides.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_DEVICE_RUNNER_H_
#define SKERRY_SERVICES_MAPPERS_LIB_DEVICE_RUNNER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/mappers/lib/core/device_cycle.h"
#include "services/mappers/lib/device_lane.h"
#include "services/mappers/lib/device_setup.h"
#include "services/mappers/lib/driver.h"
#include "services/mappers/lib/metrics.h"
#include "services/mappers/lib/twin_client.h"

namespace skerry::mapper {

// Used on the mapper's executor only. Results of the lane and of calls come back by way of it, and
// find nobody when the runner is gone. All of Context outlives it and its lane.
class DeviceRunner : public std::enable_shared_from_this<DeviceRunner> {
 public:
  struct Context {
    Driver& driver;
    exec::SerialExecutor& executor;
    Clock& clock;
    TwinClient& twin;
    MapperMetrics& metrics;
    const log::Logger& log;
    std::function<void()> twin_gone;  // A report found nobody there.
  };

  DeviceRunner(DeviceSetup setup, bool link_up, uint64_t seed, const Context& context);
  ~DeviceRunner();

  void Start();  // Once.
  void Replan(DeviceSetup setup);
  void SetLink(bool up);
  // As the lane's; `done` is called on the device's thread, or at once.
  void Call(std::string method, std::map<std::string, std::string> arguments,
            absl::Duration patience, DeviceLane::ValueDone done);
  const DriverDevice& device() const { return *setup_.device; }

  // The lane, closed; its owner stops it. The runner does nothing from here on.
  std::shared_ptr<DeviceLane> Retire();

 private:
  void Step(Event event);
  void Perform(const Effect& effect);
  void Perform(const Connect& connect);
  void Perform(const Read& read);
  void Perform(const Write& write);
  void Perform(const Check& check);
  void Perform(const ReportTwins& report);
  void Perform(const ReportState& report);
  // Runs `work` on the executor if the runner is still there and at work.
  template <typename Work>
  static void Post(const std::weak_ptr<DeviceRunner>& weak, exec::SerialExecutor& executor,
                   Work work);
  void OnReported(const absl::Status& status);
  void NoteState();
  // Logs the first failure of a series.
  void NoteResult(const std::string& what, const absl::Status& status);
  void LogWarnings() const;
  v1beta1::TwinProperty ToProto(const std::string& property, const Value& value) const;

  DeviceSetup setup_;
  const Context context_;
  const log::Logger log_;
  std::shared_ptr<DeviceLane> lane_;
  DeviceCycle cycle_;
  std::optional<bool> noted_online_;
  std::set<std::string> failing_;
  exec::SerialExecutor::TimerId timer_ = 0;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_DEVICE_RUNNER_H_
