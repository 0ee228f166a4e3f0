// Devices that a test lays out, behind the driver interface.
#ifndef SKERRY_SERVICES_MAPPERS_TESTING_FAKE_DRIVER_H_
#define SKERRY_SERVICES_MAPPERS_TESTING_FAKE_DRIVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/mappers/lib/driver.h"

namespace skerry::mapper {

// Any thread may call it. Devices are known by their names without namespace; those that nobody
// laid out are there, too.
class FakeDriver final : public Driver {
 public:
  struct Device {
    std::map<std::string, std::string> values;
    std::vector<std::string> writes;  // "property=value", also those that failed.
    absl::Status failure;             // Of everything, where it is not OK.
    absl::Status write_failure;
    std::map<std::string, absl::StatusOr<std::string>> methods;  // What they answer.
    std::vector<std::string> calls;                              // "method argument=value".
    bool hangs = false;                                          // Reads wait until this is over.
    int connects = 0;
    int reads = 0;
    int open = 0;  // Connections.
  };

  // Changes a device, under the lock.
  void Change(const std::string& name, const std::function<void(Device&)>& change);
  Device Get(const std::string& name) const;
  // No device hangs any more: a mapper's end waits for them.
  void EndHangs();
  // Waits until `good` holds; false after `patience`.
  bool Await(const std::string& name, const std::function<bool(const Device&)>& good,
             absl::Duration patience) const;

  // Refuses devices whose configData says `refuse: true`.
  absl::Status Validate(const DriverDevice& device) override;
  absl::StatusOr<std::unique_ptr<Connection>> Connect(const DriverDevice& device,
                                                      absl::Duration timeout) override;

 private:
  class FakeConnection;

  mutable absl::Mutex mutex_;
  mutable std::map<std::string, Device> devices_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_TESTING_FAKE_DRIVER_H_
