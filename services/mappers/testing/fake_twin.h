// twin-svc as mappers see it: devices that a test lays out, reports that it reads.
#ifndef SKERRY_SERVICES_MAPPERS_TESTING_FAKE_TWIN_H_
#define SKERRY_SERVICES_MAPPERS_TESTING_FAKE_TWIN_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/rpc/server.h"

namespace skerry::mapper {

// Serves DeviceManagerService on a Unix socket between Start and Stop, which it can do again. Any
// thread may call it.
class FakeTwin {
 public:
  struct Seen {
    std::vector<v1beta1::MapperRegisterRequest> registrations;
    std::vector<v1beta1::ReportDeviceStatusRequest> reports;  // Taken ones.
    std::vector<v1beta1::ReportDeviceStatesRequest> states;
    int refused = 0;  // Reports that were answered with the error of FailReports.

    // The newest reported value of the property, or observedDesired; empty where there is none.
    std::string Reported(absl::string_view device, absl::string_view property) const;
    std::string Observed(absl::string_view device, absl::string_view property) const;
    std::string State(absl::string_view device) const;  // The newest.
  };

  explicit FakeTwin(std::string address) : address_(std::move(address)) {}
  ~FakeTwin() { Stop(); }

  void Start();
  void Stop();
  // What MapperRegister answers from now on.
  void SetDevices(std::vector<v1beta1::DeviceModel> models, std::vector<v1beta1::Device> devices);
  void FailReports(absl::Status status);  // OK: no longer.
  // Forgets what was seen.
  void Clear();
  // Waits until `good` holds; false after `patience`.
  bool Await(const std::function<bool(const Seen&)>& good, absl::Duration patience) const;
  Seen seen() const;

 private:
  class Service;

  const std::string address_;
  mutable absl::Mutex mutex_;
  Seen seen_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  v1beta1::MapperRegisterResponse devices_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Service> service_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_TESTING_FAKE_TWIN_H_
