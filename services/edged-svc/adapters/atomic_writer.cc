#include "services/edged-svc/adapters/atomic_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;

constexpr char kData[] = "..data";

absl::Status FromErrno(absl::string_view what, const std::string& path, int error) {
  return absl::ErrnoToStatus(error, absl::StrCat(what, " ", path));
}

absl::Status WriteFile(const std::string& path, const FilePayload& file,
                       std::optional<int64_t> group) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return FromErrno("create", path, errno);
  absl::Status status;
  size_t written = 0;
  while (status.ok() && written < file.bytes.size()) {
    const ssize_t n = write(fd, file.bytes.data() + written, file.bytes.size() - written);
    if (n < 0 && errno != EINTR) status = FromErrno("write", path, errno);
    if (n > 0) written += static_cast<size_t>(n);
  }
  mode_t mode = static_cast<mode_t>(file.mode) & 0777;
  if (group.has_value()) {
    mode |= 0440;
    if (status.ok() && fchown(fd, static_cast<uid_t>(-1), static_cast<gid_t>(*group)) != 0)
      status = FromErrno("chown", path, errno);
  }
  if (status.ok() && fchmod(fd, mode) != 0) status = FromErrno("chmod", path, errno);
  if (close(fd) != 0 && status.ok()) status = FromErrno("close", path, errno);
  return status;
}

// True: the folder of the present files holds exactly `files`.
bool IsCurrent(const fs::path& data, const VolumeFiles& files, std::optional<int64_t> group) {
  std::error_code error;
  size_t found = 0;
  for (auto it = fs::recursive_directory_iterator(data, error);
       !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_directory(error)) continue;
    const auto file = files.find(fs::relative(it->path(), data, error).string());
    if (error || file == files.end()) return false;
    struct stat info;
    if (stat(it->path().c_str(), &info) != 0) return false;
    const mode_t mode =
        (static_cast<mode_t>(file->second.mode) & 0777) | (group.has_value() ? 0440 : 0);
    if ((info.st_mode & 0777) != mode ||
        static_cast<size_t>(info.st_size) != file->second.bytes.size())
      return false;
    std::ifstream in(it->path(), std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    if (bytes.str() != file->second.bytes) return false;
    ++found;
  }
  return !error && found == files.size();
}

absl::Status WriteAll(const fs::path& folder, const VolumeFiles& files,
                      std::optional<int64_t> group) {
  for (const auto& [path, file] : files) {
    const fs::path target = folder / path;
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) return FromErrno("create the folder of", target.string(), error.value());
    SKERRY_RETURN_IF_ERROR(WriteFile(target.string(), file, group));
  }
  return absl::OkStatus();
}

std::string FirstPart(const std::string& path) { return path.substr(0, path.find('/')); }

// Points what a container opens at "..data", and removes what is no longer there.
absl::Status LinkVisible(const fs::path& folder, const VolumeFiles& files) {
  std::set<std::string> wanted;
  for (const auto& [path, file] : files) wanted.insert(FirstPart(path));
  std::error_code error;
  for (const std::string& name : wanted) {
    const fs::path link = folder / name;
    const fs::path target = fs::path(kData) / name;
    if (fs::read_symlink(link, error) == target) continue;
    fs::remove_all(link, error);
    if (symlink(target.c_str(), link.c_str()) != 0) return FromErrno("link", link.string(), errno);
  }
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (!absl::StartsWith(name, "..") && !wanted.contains(name))
      fs::remove_all(entry.path(), ignored);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<bool> WriteAtomically(const std::string& folder_name, const VolumeFiles& files,
                                     std::optional<int64_t> group) {
  const fs::path folder(folder_name);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return FromErrno("create", folder_name, error.value());
  const fs::path data = folder / kData;
  const fs::path before = fs::read_symlink(data, error);
  const bool had = !error;
  if (had && IsCurrent(data, files, group)) {
    SKERRY_RETURN_IF_ERROR(LinkVisible(folder, files));
    return false;
  }
  std::string stamp =
      (folder /
       absl::StrCat("..", absl::FormatTime("%Y_%m_%d_%H_%M_%S", absl::Now(), absl::UTCTimeZone()),
                    ".XXXXXX"))
          .string();
  if (mkdtemp(stamp.data()) == nullptr) return FromErrno("create", stamp, errno);
  absl::Status status = WriteAll(stamp, files, group);
  if (status.ok() && chmod(stamp.c_str(), 0755) != 0) status = FromErrno("chmod", stamp, errno);
  const fs::path next = folder / "..data_tmp";
  if (status.ok()) {
    fs::remove(next, error);
    if (symlink(fs::path(stamp).filename().c_str(), next.c_str()) != 0)
      status = FromErrno("link", next.string(), errno);
  }
  if (status.ok() && rename(next.c_str(), data.c_str()) != 0)
    status = FromErrno("rename", data.string(), errno);
  if (!status.ok()) {
    fs::remove_all(stamp, error);
    return status;
  }
  SKERRY_RETURN_IF_ERROR(LinkVisible(folder, files));
  // Also what a crash between two of these steps has left.
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    if (absl::StartsWith(name, "..") && name != kData && name != fs::path(stamp).filename())
      fs::remove_all(entry.path(), ignored);
  }
  return true;
}

}  // namespace skerry::edged
