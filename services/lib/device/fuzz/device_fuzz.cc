// Any JSON as a DeviceModel and, behind a line's end, as a Device of it; any text as a value.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "services/lib/device/desired_values.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/kubeapi/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t line = text.find('\n');
  const auto first = skerry::kubeapi::ParseJson(text.substr(0, line));
  if (!first.ok()) return 0;
  const auto model = skerry::device::ParseModel(*first);
  skerry::device::ParseDevice(*first).IgnoreError();
  if (!model.ok() || line == absl::string_view::npos) return 0;
  const absl::string_view rest = text.substr(line + 1);
  for (const skerry::device::PropertyModel& property : model->properties) {
    skerry::device::CheckValue(property, rest).IgnoreError();
    skerry::device::CheckDesired(property, rest).IgnoreError();
  }
  const auto second = skerry::kubeapi::ParseJson(rest);
  if (!second.ok()) return 0;
  const auto device = skerry::device::ParseDevice(*second);
  if (device.ok()) skerry::device::CheckDesiredValues(*device, *model).IgnoreError();
  return 0;
}
