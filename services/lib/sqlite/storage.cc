#include "services/lib/sqlite/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"

namespace skerry::sqlite {
namespace {

absl::Status Failed(absl::string_view action, const std::string& path) {
  const int error = errno;
  return Error(error == ENOSPC || error == EDQUOT ? absl::StatusCode::kResourceExhausted
                                                  : absl::StatusCode::kFailedPrecondition,
               absl::StrCat("cannot ", action, " ", path, ": ", std::strerror(error)))
      .Reason(error == ENOSPC || error == EDQUOT ? "DATABASE_FULL" : "DATABASE_INACCESSIBLE")
      .Meta("path", path);
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

// Makes names durable.
absl::Status SyncFolderOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed("open", folder);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Failed("sync", folder);
  close(fd);
  return status;
}

class LocalFiles final : public Storage {
 public:
  const char* vfs() const override { return nullptr; }

  bool Exists(const std::string& path) override {
    struct stat info;
    return lstat(path.c_str(), &info) == 0;
  }

  // SQLite gives -wal and -shm the same mode.
  absl::Status Create(const std::string& path) override {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0) return Failed("open", path);
    close(fd);
    return absl::OkStatus();
  }

  absl::Status Rename(const std::string& from, const std::string& to) override {
    if (rename(from.c_str(), to.c_str()) != 0)
      return errno == ENOENT ? absl::OkStatus() : Failed("rename", from);
    return SyncFolderOf(to);
  }

  absl::Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) != 0)
      return errno == ENOENT ? absl::OkStatus() : Failed("remove", path);
    return SyncFolderOf(path);
  }

  std::vector<std::string> List(const std::string& prefix) override {
    std::vector<std::string> paths;
    const std::filesystem::path folder = std::filesystem::path(prefix).parent_path();
    std::error_code error;
    for (std::filesystem::directory_iterator it(FolderOf(prefix), error), end; !error && it != end;
         it.increment(error)) {
      const std::string path = (folder / it->path().filename()).string();
      if (absl::StartsWith(path, prefix)) paths.push_back(path);
    }
    std::sort(paths.begin(), paths.end());
    return paths;
  }
};

}  // namespace

Storage& LocalStorage() {
  static LocalFiles files;
  return files;
}

}  // namespace skerry::sqlite
