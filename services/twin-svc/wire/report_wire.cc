#include "services/twin-svc/wire/report_wire.h"

#include "services/twin-svc/wire/declaration.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {
namespace {

using LeftOut = v1::TwinReport::LeftOut;

void Fill(const DeviceName& device, const Twin& twin, LeftOut left_out, v1::TwinReport& report) {
  report.set_left_out(left_out);
  v1::Twin& message = *report.mutable_twin();
  message.set_name(TwinNameOf(device));
  message.set_uid(twin.uid);
  message.set_generation(twin.generation);
  message.set_version(twin.version);
  *message.mutable_state() = ToProto(twin.state);
  for (const auto& [name, property] : twin.properties) {
    v1::Property& out = (*message.mutable_properties())[name];
    out.set_declared(property.declared);
    out.set_desired_version(property.desired_version);
    out.set_reported_version(property.reported_version);
    if (property.reported.has_value()) twin::Fill(*property.reported, *out.mutable_reported());
    const Held<Value>& desired = property.desired();
    if (desired.has_value() &&
        (left_out != v1::TwinReport::LEFT_OUT_CLOUD_DESIRED || desired->writer != kCloudWriter)) {
      twin::Fill(*desired, *out.mutable_desired());
    }
    if (property.conflict.has_value() && left_out == v1::TwinReport::LEFT_OUT_UNSPECIFIED) {
      twin::Fill(*property.conflict, *out.mutable_conflict());
    }
  }
}

}  // namespace

SerializedReport TwinReportOf(const DeviceName& device, const Twin& twin, size_t bytes_max) {
  const auto serialize = [&](LeftOut left_out) -> SerializedReport {
    v1::TwinReport report;
    Fill(device, twin, left_out, report);
    return {report.SerializeAsString(), left_out};
  };
  for (const LeftOut left_out :
       {v1::TwinReport::LEFT_OUT_UNSPECIFIED, v1::TwinReport::LEFT_OUT_CONFLICTS}) {
    SerializedReport report = serialize(left_out);
    if (report.value.size() <= bytes_max) return report;
  }
  return serialize(v1::TwinReport::LEFT_OUT_CLOUD_DESIRED);
}

}  // namespace skerry::twin
