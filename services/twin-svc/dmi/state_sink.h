// Who is told of devices' states.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_STATE_SINK_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_STATE_SINK_H_

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "services/lib/model/names.h"

namespace skerry::twin {

// Any thread may call it, and is not waited for.
class StateSink {
 public:
  virtual ~StateSink() = default;
  // `state` is 1 to 64 bytes. `done` is called once, when it is stored; NOT_FOUND / DEVICE_UNKNOWN.
  virtual void ReportState(const DeviceName& device, const std::string& state,
                           const std::string& writer,
                           absl::AnyInvocable<void(absl::Status)> done) = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_STATE_SINK_H_
