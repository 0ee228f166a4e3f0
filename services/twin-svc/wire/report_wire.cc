#include "services/twin-svc/wire/report_wire.h"

#include "services/twin-svc/wire/declaration.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {

v1::TwinReport TwinReportOf(const DeviceName& device, const Twin& twin, size_t bytes_max) {
  v1::TwinReport report;
  *report.mutable_twin() = ToProto(device, twin);
  // They make up `desired`.
  for (auto& [name, property] : *report.mutable_twin()->mutable_properties()) {
    property.clear_cloud_desired();
    property.clear_local_desired();
  }
  if (report.ByteSizeLong() <= bytes_max) return report;
  for (auto& [name, property] : *report.mutable_twin()->mutable_properties()) {
    property.clear_conflict();
  }
  report.set_left_out(v1::TwinReport::LEFT_OUT_CONFLICTS);
  if (report.ByteSizeLong() <= bytes_max) return report;
  for (auto& [name, property] : *report.mutable_twin()->mutable_properties()) {
    if (property.desired().writer() == kCloudWriter) property.clear_desired();
  }
  report.set_left_out(v1::TwinReport::LEFT_OUT_CLOUD_DESIRED);
  return report;
}

}  // namespace skerry::twin
