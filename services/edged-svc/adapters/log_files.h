// Files of container logs.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_LOG_FILES_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_LOG_FILES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace skerry::edged {

// nullopt: there is none.
absl::StatusOr<std::optional<int64_t>> LogSize(const std::string& log);

// Names, without the folder, of what was rotated from `log` (a path).
std::vector<std::string> RotatedLogs(const std::string& log);

// `path` becomes `path`.gz, whole or not at all, also when the power goes; `path` is then removed.
absl::Status CompressLog(const std::string& path);

// ALREADY_EXISTS, and nothing has changed, where there is a file of the new name.
absl::Status RenameLog(const std::string& from, const std::string& to);

// OK for a file that is not there.
absl::Status RemoveLogFile(const std::string& path);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_LOG_FILES_H_
