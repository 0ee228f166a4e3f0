// States that mappers report, for the desk.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_DESK_STATES_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_DESK_STATES_H_

#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "services/lib/base/clock.h"
#include "services/twin-svc/core/twin.h"
#include "services/twin-svc/dmi/state_sink.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

// Desk and clock outlive it.
class DeskStates final : public StateSink {
 public:
  DeskStates(TwinDesk& desk, Clock& clock) : desk_(desk), clock_(clock) {}

  void ReportState(const DeviceName& device, const std::string& state, const std::string& writer,
                   absl::AnyInvocable<void(absl::Status)> done) override {
    Write write{.state = StateReport{.state = state, .writer = writer, .time = clock_.Now()}};
    desk_.Submit(device, std::move(write), false,
                 [done = std::move(done)](const absl::StatusOr<Written>& written) mutable {
                   done(written.status());
                 });
  }

 private:
  TwinDesk& desk_;
  Clock& clock_;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_DESK_STATES_H_
