#include "services/lib/security/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::security {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

absl::Status FileError(int error, absl::string_view what, absl::string_view path) {
  absl::StatusCode code = absl::StatusCode::kInternal;
  if (error == ENOENT || error == ENOTDIR) code = absl::StatusCode::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS)
    code = absl::StatusCode::kPermissionDenied;
  if (error == EISDIR) code = absl::StatusCode::kInvalidArgument;
  if (error == ENOSPC || error == EDQUOT) code = absl::StatusCode::kResourceExhausted;
  return Error(code, absl::StrCat("can't ", what, " '", path, "': ", strerror(error)))
      .Reason("FILE_ERROR")
      .Meta("file", path);
}

// Closes on destruction.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

std::string FolderOf(const std::string& path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

absl::Status WriteAll(int fd, absl::string_view content, absl::string_view path) {
  while (!content.empty()) {
    ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(errno, "write", path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  if (fsync(fd) != 0) return FileError(errno, "write", path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  Descriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return FileError(errno, "read", path);
  std::string content;
  char buffer[16384];
  while (true) {
    ssize_t n = read(fd.get(), buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return FileError(errno, "read", path);
    if (n == 0) return content;
    content.append(buffer, static_cast<size_t>(n));
    if (content.size() > kFileBytesMax) return FileError(EFBIG, "read", path);
  }
}

absl::Status WriteFileAtomically(const std::string& path, absl::string_view content, mode_t mode) {
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  Descriptor fd(mkostemp(temporary.data(), O_CLOEXEC));  // Created with mode 0600.
  if (fd.get() < 0) return FileError(errno, "create a file beside", path);
  absl::Status written = WriteAll(fd.get(), content, path);
  if (written.ok() && fchmod(fd.get(), mode) != 0)
    written = FileError(errno, "set the mode of", path);
  if (written.ok() && rename(temporary.c_str(), path.c_str()) != 0)
    written = FileError(errno, "replace", path);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  Descriptor folder(open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || fsync(folder.get()) != 0)
    return FileError(errno, "sync the folder of", path);
  return absl::OkStatus();
}

absl::Status MakeFolder(const std::string& path, mode_t mode) {
  struct stat info;
  if (path.empty() || (stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)))
    return absl::OkStatus();
  std::string parent = FolderOf(path);
  if (parent != path && parent != ".") SKERRY_RETURN_IF_ERROR(MakeFolder(parent, mode));
  if (mkdir(path.c_str(), mode) != 0 && errno != EEXIST)
    return FileError(errno, "create folder", path);
  if (stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
    return FileError(ENOTDIR, "create folder", path);
  return absl::OkStatus();
}

}  // namespace skerry::security
