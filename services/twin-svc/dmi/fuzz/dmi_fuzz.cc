// Any JSON as a DeviceModel and a Device on their way to a mapper; any bytes as a twin's property
// and state.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"
#include "services/twin-svc/dmi/dmi_device.h"
#include "services/twin-svc/wire/twin_wire.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  skerry::twin::v1::Property property;
  if (property.ParseFromArray(data, static_cast<int>(size)))
    skerry::twin::FromProto(property).IgnoreError();
  skerry::twin::v1::DeviceState state;
  if (state.ParseFromArray(data, static_cast<int>(size)))
    skerry::twin::FromProto(state).IgnoreError();
  skerry::twin::DeviceOf("name", text).IgnoreError();
  const size_t line = text.find('\n');
  const auto model = skerry::kubeapi::ParseJson(text.substr(0, line));
  if (!model.ok()) return 0;
  skerry::twin::ModelToDmi(*model).IgnoreError();
  if (line == absl::string_view::npos) return 0;
  const auto device = skerry::kubeapi::ParseJson(text.substr(line + 1));
  if (device.ok()) skerry::twin::ToDmi(*device, *model).IgnoreError();
  return 0;
}
