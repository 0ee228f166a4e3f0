// A twin as it is reported to the cloud.
#ifndef SKERRY_SERVICES_TWIN_SVC_WIRE_REPORT_WIRE_H_
#define SKERRY_SERVICES_TWIN_SVC_WIRE_REPORT_WIRE_H_

#include <cstddef>
#include <string>

#include "api/skerry/twin/v1/twin_link.pb.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/twin.h"

namespace skerry::twin {

inline constexpr size_t kReportBytesMax = 3u << 19;  // 1.5 MiB, the link's.

struct SerializedReport {
  std::string value;  // v1::TwinReport.
  v1::TwinReport::LeftOut left_out;
};

// Without what makes it larger than `bytes_max`: see v1::TwinReport. A twin has at most 1 MiB of
// values of the box, so what remains then is below kReportBytesMax.
SerializedReport TwinReportOf(const DeviceName& device, const Twin& twin,
                              size_t bytes_max = kReportBytesMax);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_WIRE_REPORT_WIRE_H_
