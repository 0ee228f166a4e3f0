#include "services/lib/kubeapi/auth/file_stamp.h"

#include <errno.h>
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kFileBytesMax = 1u << 20;

}  // namespace

FileStamp StampOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {.modified_ns = info.st_mtim.tv_sec * 1000000000 + info.st_mtim.tv_nsec,
          .inode = static_cast<int64_t>(info.st_ino),
          .size_bytes = info.st_size};
}

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kFileBytesMax + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("cannot read ", path, ": ", std::strerror(errno)))
        .Reason("FILE_UNREADABLE")
        .Meta("path", path);
  }
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kFileBytesMax)
    return absl::InvalidArgumentError(absl::StrCat(path, " is larger than 1 MiB"));
  return text;
}

}  // namespace skerry::kubeapi
