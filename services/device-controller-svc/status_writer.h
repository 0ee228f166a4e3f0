// Writes DeviceStatus objects.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STATUS_WRITER_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STATUS_WRITER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/core/device_status.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// One of the name of its Device, which owns it. What is there already is not written; of each that
// was written a fingerprint and its version are remembered, so that an unchanged report costs no
// call and a changed one costs one. Any thread may call it, for one device one at a time; calls
// block.
class StatusWriter {
 public:
  explicit StatusWriter(kubeclient::Client& client) : client_(client) {}

  // False: it says so already. NOT_FOUND: the namespace is gone.
  absl::StatusOr<bool> Write(const KubeObject& device, const DeviceStatusValue& status);
  // The Device with that uid is gone: so is what is of it.
  absl::Status Delete(const StatusOwner& device);
  // Cancels calls in progress.
  void Stop() { stop_.request_stop(); }

 private:
  struct Written {
    std::string uid;  // Of the Device.
    std::string version;
    uint64_t fingerprint = 0;
  };

  // False: it has changed since, or is gone.
  absl::StatusOr<bool> Patch(const StatusOwner& owner, const std::string& patch,
                             uint64_t fingerprint);
  absl::Status Create(const StatusOwner& owner, const DeviceStatusValue& status,
                      uint64_t fingerprint);
  void Remember(const StatusOwner& owner, const std::string& version, uint64_t fingerprint);
  std::optional<Written> Recall(const StatusOwner& owner) const;
  kubeclient::CallOptions Call() const { return {.stop = stop_.get_token()}; }

  kubeclient::Client& client_;
  std::stop_source stop_;
  mutable absl::Mutex mutex_;
  std::map<std::string, Written> written_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STATUS_WRITER_H_
