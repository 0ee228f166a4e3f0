#include "services/lib/security/system_roots.h"

#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"

namespace skerry::security {
namespace {

// "0a1b2c3d.0"
bool IsHashOfAName(absl::string_view name) {
  if (name.size() < 10 || name[8] != '.') return false;
  for (const char c : name.substr(0, 8)) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

bool HasHashes(const std::string& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (IsHashOfAName(it->path().filename().native())) return true;
  }
  return false;
}

}  // namespace

absl::StatusOr<SystemRoots> FindSystemRoots(const SystemRootPlaces& places) {
  if (HasHashes(places.folder)) return SystemRoots{.folder = places.folder};
  if (access(places.file.c_str(), R_OK) == 0) return SystemRoots{.file = places.file};
  return Error(
             absl::StatusCode::kFailedPrecondition,
             absl::StrCat("this machine has no CA certificates: ", places.file, " can't be read (",
                          std::generic_category().message(errno), "), and ", places.folder,
                          " has no links by hashes: install the package ca-certificates, or "
                          "name a CA file"))
      .Reason("CA_CERTIFICATES_MISSING")
      .Meta("file", places.file)
      .Meta("folder", places.folder);
}

}  // namespace skerry::security
