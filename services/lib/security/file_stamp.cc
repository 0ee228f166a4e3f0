#include "services/lib/security/file_stamp.h"

#include <sys/stat.h>

namespace skerry::security {

FileStamp StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {.modified_ns = info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
          .inode = static_cast<int64_t>(info.st_ino),
          .size_bytes = info.st_size};
}

}  // namespace skerry::security
