// Small files read and replaced as a whole: keys, certificates, configuration.
#ifndef SKERRY_SERVICES_LIB_SECURITY_FILES_H_
#define SKERRY_SERVICES_LIB_SECURITY_FILES_H_

#include <sys/types.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::security {

// At most 1 MiB. NOT_FOUND, PERMISSION_DENIED or INVALID_ARGUMENT name the file.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// Durably replaces `path`: a temporary file of `mode` in the same folder, fsync, rename, fsync of
// the folder. Readers see the old or the new content, and a key never has wider rights than `mode`.
absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, mode_t mode);

// Creates the folder and its missing parents with `mode`; an existing one is left as it is.
absl::Status MakeFolder(const std::string& path, mode_t mode);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_FILES_H_
