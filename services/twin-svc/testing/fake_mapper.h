// A mapper as KubeEdge's framework makes them: what it was told, and how often.
#ifndef SKERRY_SERVICES_TWIN_SVC_TESTING_FAKE_MAPPER_H_
#define SKERRY_SERVICES_TWIN_SVC_TESTING_FAKE_MAPPER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/rpc/server.h"

namespace skerry::twin {

// Serves on a Unix socket between Start and Stop, which it can do again; what it has it keeps. To
// register a known device changes nothing, and errors have words only. Any thread may call it.
class FakeMapper {
 public:
  struct State {
    std::map<std::string, v1beta1::Device> devices;  // By "namespace/name".
    std::map<std::string, v1beta1::DeviceModel> models;
    std::vector<std::string> calls;  // "RegisterDevice plant/pump-1".
    std::vector<v1::MethodCall> methods;

    // What is desired of the property; "-" without such a device.
    std::string Desired(const std::string& device, const std::string& property) const;
  };
  using Method = std::function<absl::StatusOr<v1::MethodResult>(const v1::MethodCall&)>;

  explicit FakeMapper(std::string path) : path_(std::move(path)) {}
  ~FakeMapper() { Stop(); }

  // With a method: serves DeviceMethodService, too.
  void Start(Method method = nullptr);
  void Stop();
  // Every call fails so from now on, before it has an effect; OK: no longer.
  void Fail(absl::Status failure);
  void Take(const v1beta1::MapperRegisterResponse& answer);  // In place of what it has.
  void ForgetCalls();
  // Waits until `good` holds; false after a long time.
  bool Await(const std::function<bool(const State&)>& good) const;
  State state() const;
  const std::string& path() const { return path_; }

 private:
  class Service;
  class MethodService;

  const std::string path_;
  mutable absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Service> service_;
  std::shared_ptr<MethodService> methods_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_TESTING_FAKE_MAPPER_H_
