// Calls to one mapper: DeviceMapperService, and DeviceMethodService where it has that.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_CLIENT_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_CLIENT_H_

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "api/skerry/twin/v1/twin_service.pb.h"

namespace skerry::twin {

// Any thread may call it. `done` is called once, on gRPC's threads or at once, and must not block;
// the error is as the mapper gave it, UNAVAILABLE where nobody listens. Whoever calls bounds the
// calls under way.
class MapperClient {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using MethodDone = absl::AnyInvocable<void(absl::StatusOr<v1::MethodResult>)>;

  // path: of a Unix socket. Dials when first used, and again after a loss.
  static absl::StatusOr<std::unique_ptr<MapperClient>> Create(const std::string& path,
                                                              absl::Duration timeout);
  ~MapperClient();  // End().

  void RegisterDevice(v1beta1::Device device, Done done);
  void UpdateDevice(v1beta1::Device device, Done done);
  // OK also where the mapper's answer is an error because it has no such device: those of KubeEdge
  // say so in words only, so it is asked for the device.
  void RemoveDevice(const std::string& device_namespace, const std::string& name, Done done);
  void CreateModel(v1beta1::DeviceModel model, Done done);
  void UpdateModel(v1beta1::DeviceModel model, Done done);
  void RemoveModel(const std::string& model_namespace, const std::string& name, Done done);

  void CallMethod(v1::MethodCall call, absl::Duration timeout, MethodDone done);
  // OK where somebody answers grpc.health.v1, with whatever: those of KubeEdge have no such
  // service, and say so. DEADLINE_EXCEEDED of one that hangs.
  void Ask(absl::Duration timeout, Done done);

  // Cancels what is under way and waits until all is told. Further calls are CANCELLED. Not from
  // `done`. Idempotent.
  void End();

 private:
  struct Impl;
  explicit MapperClient(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_CLIENT_H_
