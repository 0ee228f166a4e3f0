#include "services/edged-svc/adapters/log_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/log_rotation.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;

struct CloseFile {
  void operator()(FILE* file) const { fclose(file); }
};
struct CloseGzip {
  void operator()(gzFile_s* file) const { gzclose(file); }
};

absl::Status Failed(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno == 0 ? EIO : errno, absl::StrCat(what, " ", path));
}

// Everything of `from`, compressed, durably in `to` (which is not there yet).
absl::Status WriteCompressed(const std::string& from, const std::string& to) {
  const std::unique_ptr<FILE, CloseFile> in(fopen(from.c_str(), "rbe"));
  struct stat info = {};
  if (in == nullptr || fstat(fileno(in.get()), &info) != 0) return Failed("open", from);
  const int fd =
      open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, info.st_mode & 0777);
  if (fd < 0) return Failed("create", to);
  const std::unique_ptr<gzFile_s, CloseGzip> out(gzdopen(fd, "wb"));
  if (out == nullptr) {
    close(fd);
    return absl::ResourceExhaustedError("no memory for gzip");
  }
  std::array<char, 64 << 10> buffer;
  size_t count = 0;
  while ((count = fread(buffer.data(), 1, buffer.size(), in.get())) > 0) {
    if (gzwrite(out.get(), buffer.data(), static_cast<unsigned>(count)) <= 0)
      return Failed("write", to);
  }
  if (ferror(in.get()) != 0) return Failed("read", from);
  if (gzflush(out.get(), Z_FINISH) != Z_OK || fsync(fd) != 0) return Failed("write", to);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<int64_t>> LogSize(const std::string& log) {
  struct stat info = {};
  if (stat(log.c_str(), &info) == 0) return info.st_size;
  if (errno == ENOENT) return std::nullopt;
  return Failed("stat", log);
}

std::vector<std::string> RotatedLogs(const std::string& log) {
  std::vector<std::string> out;
  const fs::path path(log);
  std::error_code error;
  for (fs::directory_iterator it(path.parent_path(), error), end; !error && it != end;
       it.increment(error)) {
    std::string name = it->path().filename().string();
    if (IsRotated(path.filename().string(), name)) out.push_back(std::move(name));
  }
  return out;
}

absl::Status CompressLog(const std::string& path) {
  const std::string unfinished = path + ".tmp";
  absl::Status status = WriteCompressed(path, unfinished);
  if (status.ok()) status = RenameLog(unfinished, path + ".gz");
  if (!status.ok()) {
    RemoveLogFile(unfinished).IgnoreError();
    return status;
  }
  return RemoveLogFile(path);
}

absl::Status RenameLog(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
    return absl::OkStatus();
  return Failed("rename to", to);
}

absl::Status RemoveLogFile(const std::string& path) {
  if (unlink(path.c_str()) == 0 || errno == ENOENT) return absl::OkStatus();
  return Failed("remove", path);
}

}  // namespace skerry::edged
