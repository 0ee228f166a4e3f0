#include "services/eventbus-svc/adapters/credentials.h"

#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

constexpr size_t kBytesMax = 4 << 10;

}  // namespace

absl::StatusOr<Credentials> ReadCredentials(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  const std::vector<std::string> lines = absl::StrSplit(text, absl::MaxSplits('\n', 2));
  if (text.size() > kBytesMax || lines.size() < 2 || lines[0].empty()) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("mqtt.credentials_file: ", path,
                              " must have the user name in its first line, the password in its "
                              "second, and at most ",
                              kBytesMax, " bytes"))
        .Reason("MQTT_FILE_UNREADABLE")
        .Meta("path", path);
  }
  return Credentials{std::string(absl::StripSuffix(lines[0], "\r")),
                     std::string(absl::StripSuffix(lines[1], "\r"))};
}

}  // namespace skerry::eventbus
