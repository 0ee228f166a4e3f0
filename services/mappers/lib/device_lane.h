// The thread of one device, and its connection.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_DEVICE_LANE_H_
#define SKERRY_SERVICES_MAPPERS_LIB_DEVICE_LANE_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/mappers/lib/driver.h"

namespace skerry::mapper {

// A thread for each device, and not a pool for all: drivers block, and so many devices that hang as
// a pool has threads would stop all others. A thread that waits costs some 20 KiB, and the number
// of devices is bounded.
//
// Work runs in order. `done` is called on the lane's thread. What was posted and has not begun is
// still done by Stop. An exception of a driver is INTERNAL.
class DeviceLane {
 public:
  DeviceLane(const std::string& name, Driver& driver, absl::Duration timeout);
  ~DeviceLane();  // Stop().

  using Done = absl::AnyInvocable<void(absl::Status)>;
  using ValueDone = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;

  // The former connection is destroyed first.
  void Connect(std::shared_ptr<const DriverDevice> device, Done done);
  // UNAVAILABLE where there is no connection.
  void Read(std::shared_ptr<const DriverDevice> device, std::string property, ValueDone done);
  void Write(std::shared_ptr<const DriverDevice> device, std::string property, std::string value,
             Done done);
  void Check(Done done);
  // RESOURCE_EXHAUSTED / DEVICE_BUSY where a few calls wait already; `done` is then called at once.
  // DEADLINE_EXCEEDED / DEVICE_BUSY where its turn does not come within `patience`.
  void Call(std::string method, std::map<std::string, std::string> arguments,
            absl::Duration patience, ValueDone done);

  // Destroys the connection once the work under way has ended; does not wait.
  void Close();
  // Close, and waits for the thread: up to the driver's timeout. Not from the lane.
  void Stop();

 private:
  absl::StatusOr<std::string> Guarded(
      absl::AnyInvocable<absl::StatusOr<std::string>(Connection&)> work);

  Driver& driver_;
  const absl::Duration timeout_;
  std::atomic<int> calls_ = 0;  // Of methods, that wait.
  std::atomic<bool> closed_ = false;
  // Used on the thread. The connection refers to the device that it was made for.
  std::shared_ptr<const DriverDevice> connected_;
  std::unique_ptr<Connection> connection_;
  SystemClock clock_;  // Nothing is posted with a delay.
  exec::SerialExecutor thread_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_DEVICE_LANE_H_
