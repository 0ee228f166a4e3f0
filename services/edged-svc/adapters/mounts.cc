#include "services/edged-svc/adapters/mounts.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// mountinfo writes space, tab, newline and backslash in octal.
std::string Unescape(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                               (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

// A descriptor of `path` below `root`; links may point inside of it only.
Fd OpenBeneath(int root, const std::string& path, uint64_t flags = O_PATH) {
  struct open_how how = {};
  how.flags = flags | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  return Fd(static_cast<int>(syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how))));
}

absl::Status Outside(const std::string& sub_path, int error) {
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("failed to prepare subPath \"", sub_path, "\": ",
                            error == EXDEV ? "it leads out of the volume"
                                           : absl::ErrnoToStatus(error, "open").message()))
      .Reason("FAILED_SUB_PATH");
}

// What is missing of `sub_path`, with the volume's own mode as the kubelet does it: who may use the
// volume may use the folder, and where fsGroup has set the setgid bit the group is inherited.
absl::Status MakeFoldersBeneath(int root, const std::string& sub_path) {
  struct stat volume = {};
  if (fstat(root, &volume) != 0) return Outside(sub_path, errno);
  const mode_t mode = volume.st_mode & 07777;
  std::string walked = ".";
  for (absl::string_view part : absl::StrSplit(sub_path, '/', absl::SkipEmpty())) {
    const std::string name(part);
    const Fd parent = OpenBeneath(root, walked);
    if (parent.get() < 0) return Outside(sub_path, errno);
    if (mkdirat(parent.get(), name.c_str(), mode) == 0) {
      // Against the umask. Not through a link that a container may have put there meanwhile.
      const Fd made = OpenBeneath(parent.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      if (made.get() < 0 || fchmod(made.get(), mode) != 0) return Outside(sub_path, errno);
    } else if (errno != EEXIST) {
      return Outside(sub_path, errno);
    }
    absl::StrAppend(&walked, "/", name);
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> MountsBelow(const std::string& folder) {
  std::vector<std::string> out;
  std::ifstream in("/proc/self/mountinfo");
  std::string line;
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() < 5) continue;
    std::string point = Unescape(fields[4]);
    if (absl::StartsWith(point, folder + "/")) out.push_back(std::move(point));
  }
  return out;
}

absl::Status MountTmpfs(const std::string& folder, int64_t size_bytes_max) {
  std::error_code error;
  const std::string real = std::filesystem::canonical(folder, error).string();
  if (error) return absl::ErrnoToStatus(error.value(), folder);
  std::ifstream in("/proc/self/mountinfo");
  std::string line;
  while (std::getline(in, line)) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() >= 5 && Unescape(fields[4]) == real) return absl::OkStatus();
  }
  const std::string options = size_bytes_max > 0 ? absl::StrCat("size=", size_bytes_max) : "";
  if (mount("tmpfs", real.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("mount tmpfs at ", folder));
  return absl::OkStatus();
}

absl::Status BindInside(const std::string& volume, const std::string& sub_path,
                        const std::string& target) {
  // The volume's own path is ours (or the user's hostPath): links in it are followed.
  const Fd root(open(volume.c_str(), O_PATH | O_CLOEXEC));
  if (root.get() < 0) return Outside(sub_path, errno);
  Fd found = OpenBeneath(root.get(), sub_path);
  if (found.get() < 0 && errno == ENOENT) {
    SKERRY_RETURN_IF_ERROR(MakeFoldersBeneath(root.get(), sub_path));
    found = OpenBeneath(root.get(), sub_path);
  }
  if (found.get() < 0) return Outside(sub_path, errno);
  struct stat info;
  if (fstat(found.get(), &info) != 0) return Outside(sub_path, errno);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(target).parent_path(), error);
  if (S_ISDIR(info.st_mode)) {
    std::filesystem::create_directory(target, error);
  } else {
    const Fd file(open(target.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
  }
  const std::string source = absl::StrCat("/proc/self/fd/", found.get());
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return Outside(sub_path, errno);
  return absl::OkStatus();
}

absl::Status UnmountAt(const std::string& path) {
  while (umount2(path.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH) == 0) {
  }
  if (errno == EINVAL || errno == ENOENT) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("unmount ", path));
}

absl::Status UnmountBelow(const std::string& folder) {
  std::error_code error;
  const std::string real = std::filesystem::weakly_canonical(folder, error).string();
  std::vector<std::string> mounts = MountsBelow(real);
  std::reverse(mounts.begin(), mounts.end());
  for (const std::string& point : mounts) {
    if (umount2(point.c_str(), UMOUNT_NOFOLLOW) != 0 && errno == EBUSY)
      umount2(point.c_str(), UMOUNT_NOFOLLOW | MNT_DETACH);
  }
  mounts = MountsBelow(real);
  if (mounts.empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("still mounted: ", absl::StrJoin(mounts, ", ")))
      .Reason("VOLUME_BUSY");
}

}  // namespace skerry::edged
