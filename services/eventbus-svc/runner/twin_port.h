// twin-svc, as the runners here need it.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_TWIN_PORT_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_TWIN_PORT_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

// Any thread may call it. `done` is called once, on any thread, but not from within the call.
class TwinPort {
 public:
  using TwinDone = absl::AnyInvocable<void(absl::StatusOr<twin::v1::Twin>)>;
  using WriteDone = absl::AnyInvocable<void(absl::StatusOr<twin::v1::WriteTwinResponse>)>;
  using StateDone = absl::AnyInvocable<void(absl::StatusOr<twin::v1::DeviceState>)>;

  virtual ~TwinPort() = default;
  virtual void GetTwin(const DeviceName& device, TwinDone done) = 0;
  virtual void WriteTwin(const twin::v1::WriteTwinRequest& request, WriteDone done) = 0;
  virtual void ReportState(const twin::v1::ReportStateRequest& request, StateDone done) = 0;
};

// What a watch of all twins tells, on the executor that the watch was given.
class TwinWatcher {
 public:
  virtual ~TwinWatcher() = default;
  virtual void OnTwin(twin::v1::Twin twin) = 0;
  virtual void OnTwinDeleted(const DeviceName& device) = 0;
  // All twins of twin-svc have been told since the watch began.
  virtual void OnTwinsSynced() = 0;
  // A watch begins, with all twins again; or it is over.
  virtual void OnTwinsConnected(bool connected) = 0;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_TWIN_PORT_H_
