#include "services/lib/device/method_call.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::device {
namespace {

constexpr size_t kNameBytesMax = 128;
constexpr int kArgumentsMax = 64;
constexpr size_t kArgumentBytesMax = 64u << 10;

}  // namespace

absl::StatusOr<DeviceName> CheckCall(const twin::v1::MethodCall& call) {
  SKERRY_ASSIGN_OR_RETURN(DeviceName device, DeviceName::Parse(call.device()));
  if (call.method().empty() || call.method().size() > kNameBytesMax) {
    return InvalidField("method", call.method().substr(0, kNameBytesMax), "give 1 to 128 bytes");
  }
  if (call.request_id().size() > kNameBytesMax) {
    return InvalidField("request_id", call.request_id().substr(0, kNameBytesMax),
                        "give at most 128 bytes");
  }
  size_t bytes = 0;
  for (const auto& [name, value] : call.arguments()) bytes += name.size() + value.size();
  if (call.arguments_size() > kArgumentsMax || bytes > kArgumentBytesMax) {
    return InvalidField("arguments",
                        absl::StrCat(call.arguments_size(), " of ", bytes, " bytes in all"),
                        "give at most 64, of 64 KiB in all");
  }
  return device;
}

}  // namespace skerry::device
