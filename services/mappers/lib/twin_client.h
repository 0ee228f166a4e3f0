// A mapper's calls to twin-svc (DeviceManagerService).
#ifndef SKERRY_SERVICES_MAPPERS_LIB_TWIN_CLIENT_H_
#define SKERRY_SERVICES_MAPPERS_LIB_TWIN_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"

namespace skerry::mapper {

// Any thread may call it. What is given is called on gRPC's threads and must not block; calls fail
// at once where nobody listens. Whoever reports bounds the calls under way: one a device.
class TwinClient {
 public:
  // address: "unix:/path". INVALID_ARGUMENT where it is not local.
  static absl::StatusOr<std::unique_ptr<TwinClient>> Create(const std::string& address);
  ~TwinClient();  // End().

  void Register(v1beta1::MapperRegisterRequest request,
                absl::AnyInvocable<void(absl::StatusOr<v1beta1::MapperRegisterResponse>)> done);
  void ReportStatus(v1beta1::ReportDeviceStatusRequest request,
                    absl::AnyInvocable<void(absl::Status)> done);
  void ReportStates(v1beta1::ReportDeviceStatesRequest request,
                    absl::AnyInvocable<void(absl::Status)> done);

  // Follows the health of the server until it ends, or EndWatch. At most one at a time; another
  // one ends the former. on_ended is called once, also after EndWatch.
  void WatchHealth(std::function<void(bool serving)> on_health,
                   std::function<void(absl::Status)> on_ended);
  void EndWatch();

  // Cancels what is under way and waits until all is told. Further calls are CANCELLED. Not from
  // gRPC's threads. Idempotent.
  void End();

 private:
  struct Impl;
  explicit TwinClient(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_TWIN_CLIENT_H_
