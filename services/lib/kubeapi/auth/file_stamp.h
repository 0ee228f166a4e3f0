// Whether a file is still the same, and what is in it.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_FILE_STAMP_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_FILE_STAMP_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace skerry::kubeapi {

// All zero: the file is not there.
struct FileStamp {
  int64_t modified_ns = 0;
  int64_t inode = 0;
  int64_t size_bytes = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& path);

// FAILED_PRECONDITION tells the path and why it cannot be read. At most 1 MiB.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_FILE_STAMP_H_
