#include "services/twin-svc/dmi/mapper_info.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::twin {
namespace {

constexpr size_t kNameBytesMax = 253;
constexpr size_t kPathBytesMax = 107;  // Of a Unix socket.

absl::Status CheckName(absl::string_view field, absl::string_view value) {
  const bool good = !value.empty() && value.size() <= kNameBytesMax &&
                    std::none_of(value.begin(), value.end(), absl::ascii_iscntrl);
  if (good) return absl::OkStatus();
  return InvalidField(field, absl::CHexEscape(value.substr(0, kNameBytesMax)),
                      "give 1 to 253 bytes without control characters");
}

// gRPC takes the path as a part of a URI.
bool IsPlain(char c) {
  return absl::ascii_isgraph(static_cast<unsigned char>(c)) && !absl::StrContains("%?#\\", c);
}

absl::StatusOr<std::string> PathOf(absl::string_view address) {
  absl::string_view path = address;
  if (absl::ConsumePrefix(&path, "unix:")) absl::ConsumePrefix(&path, "//");
  const std::vector<absl::string_view> steps = absl::StrSplit(path, '/');
  const bool good = path.size() > 1 && path.size() <= kPathBytesMax && path[0] == '/' &&
                    std::all_of(path.begin(), path.end(), IsPlain) &&
                    std::find(steps.begin(), steps.end(), "..") == steps.end();
  if (good) return std::string(path);
  return InvalidField("mapper.address", absl::CHexEscape(address.substr(0, kNameBytesMax)),
                      "give the absolute path of the mapper's Unix socket: at most 107 printable "
                      "ASCII characters, without spaces, %, ?, #, \\ and ..");
}

}  // namespace

absl::StatusOr<MapperRecord> RecordOf(const v1beta1::MapperInfo& info) {
  SKERRY_RETURN_IF_ERROR(CheckName("mapper.name", info.name()));
  SKERRY_RETURN_IF_ERROR(CheckName("mapper.protocol", info.protocol()));
  SKERRY_ASSIGN_OR_RETURN(std::string path, PathOf(info.address()));
  return MapperRecord{.name = info.name(),
                      .protocol = info.protocol(),
                      .path = std::move(path),
                      .version = info.version().substr(0, kNameBytesMax)};
}

}  // namespace skerry::twin
