// Whether a file is still the same.
#ifndef SKERRY_SERVICES_LIB_SECURITY_FILE_STAMP_H_
#define SKERRY_SERVICES_LIB_SECURITY_FILE_STAMP_H_

#include <cstdint>
#include <string>

namespace skerry::security {

// All zero: the file is not there.
struct FileStamp {
  int64_t modified_ns = 0;
  int64_t inode = 0;
  int64_t size_bytes = 0;
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

FileStamp StampOf(const std::string& path);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_FILE_STAMP_H_
