// What MapperDesk answers where it can do nothing.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_DESK_ERRORS_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_DESK_ERRORS_H_

#include "absl/status/status.h"
#include "services/lib/base/error.h"

namespace skerry::twin {

inline absl::Status Stopping() {
  return Error(absl::StatusCode::kUnavailable, "the service is stopping").Reason("DRAINING");
}

inline absl::Status DevicesNotKnown() {
  return Error(absl::StatusCode::kUnavailable,
               "the devices of this box are not known yet (edge-meta-svc): try again")
      .Reason("DEVICES_NOT_KNOWN");
}

inline absl::Status MappersBusy() {
  return Error(absl::StatusCode::kResourceExhausted,
               "too many registrations and calls of methods wait: try again later")
      .Reason("MAPPERS_BUSY");
}

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_DESK_ERRORS_H_
