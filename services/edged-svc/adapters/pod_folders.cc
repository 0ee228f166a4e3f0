#include "services/edged-svc/adapters/pod_folders.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "services/edged-svc/adapters/atomic_writer.h"
#include "services/edged-svc/adapters/log_files.h"
#include "services/edged-svc/adapters/mounts.h"
#include "services/edged-svc/core/volume_plan.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

namespace fs = std::filesystem;

constexpr std::streamoff kMessageMax = 4096;
constexpr std::streamoff kLogTailMax = 2048;
constexpr size_t kLogLinesMax = 80;

absl::Status MakeFolder(const std::string& path, mode_t mode) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("create ", path));
  if (chmod(path.c_str(), mode) != 0)
    return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", path));
  return absl::OkStatus();
}

absl::Status WrongHostPath(const VolumeSpec& volume, absl::string_view is_not) {
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat("hostPath type check failed: ", volume.host_path, " is not ", is_not))
      .Reason("FAILED_MOUNT");
}

absl::StatusOr<std::string> PrepareHostPath(const VolumeSpec& volume) {
  struct stat info = {};
  bool exists = stat(volume.host_path.c_str(), &info) == 0;
  if (!exists && volume.host_type == "DirectoryOrCreate") {
    SKERRY_RETURN_IF_ERROR(MakeFolder(volume.host_path, 0755));
    exists = stat(volume.host_path.c_str(), &info) == 0;
  } else if (!exists && volume.host_type == "FileOrCreate") {
    const int fd = open(volume.host_path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("create ", volume.host_path));
    close(fd);
    exists = stat(volume.host_path.c_str(), &info) == 0;
  } else if (!exists && volume.host_type.empty()) {
    // No check was asked for; a runtime needs something to mount, so a folder is made, as the
    // kubelet's runtimes do.
    SKERRY_RETURN_IF_ERROR(MakeFolder(volume.host_path, 0755));
    return volume.host_path;
  }
  const std::string& type = volume.host_type;
  const auto is = [&](mode_t kind) { return exists && (info.st_mode & S_IFMT) == kind; };
  if (absl::StartsWith(type, "Directory") && !is(S_IFDIR))
    return WrongHostPath(volume, "a directory");
  if (absl::StartsWith(type, "File") && !is(S_IFREG)) return WrongHostPath(volume, "a file");
  if (type == "Socket" && !is(S_IFSOCK)) return WrongHostPath(volume, "a socket file");
  if (type == "CharDevice" && !is(S_IFCHR)) return WrongHostPath(volume, "a character device");
  if (type == "BlockDevice" && !is(S_IFBLK)) return WrongHostPath(volume, "a block device");
  return volume.host_path;
}

bool OnTmpfs(const VolumeSpec& volume) {
  return std::any_of(volume.sources.begin(), volume.sources.end(), [](const FileSource& source) {
    return source.kind == FileSource::Kind::kSecret || source.kind == FileSource::Kind::kToken;
  });
}

std::string ReadTail(const std::string& path, std::streamoff bytes_max, bool from_end) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) return "";
  const std::streamoff size = in.tellg();
  const std::streamoff start = from_end ? std::max<std::streamoff>(0, size - bytes_max) : 0;
  std::string out(static_cast<size_t>(std::min(size - start, bytes_max)), '\0');
  in.seekg(start);
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<size_t>(in.gcount()));
  return out;
}

// "<time> stdout F text" to "text".
std::string LogTail(const std::string& path) {
  const std::string raw = ReadTail(path, 8 * kLogTailMax, true);
  std::vector<std::string> lines;
  for (absl::string_view line : absl::StrSplit(raw, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 3));
    if (parts.size() == 4) lines.emplace_back(parts[3]);
  }
  if (lines.size() > kLogLinesMax) lines.erase(lines.begin(), lines.end() - kLogLinesMax);
  std::string out = absl::StrJoin(lines, "\n");
  if (!out.empty()) out += '\n';
  if (out.size() > static_cast<size_t>(kLogTailMax)) out.erase(0, out.size() - kLogTailMax);
  return out;
}

}  // namespace

absl::StatusOr<std::string> PodFolders::PrepareOne(const PodSpec& pod, const VolumeSpec& volume,
                                                   const PodPlace& place,
                                                   const ObjectSource& objects,
                                                   const NodeResources& node) const {
  if (volume.kind == VolumeSpec::Kind::kHostPath) return PrepareHostPath(volume);
  const std::string folder =
      absl::StrCat(PodFolder(pod), "/volumes/kubernetes.io~", volume.plugin, "/", volume.name);
  if (volume.kind == VolumeSpec::Kind::kEmptyDir) {
    std::error_code error;
    if (fs::exists(folder, error) && !volume.memory) return folder;
    if (!fs::exists(folder, error)) SKERRY_RETURN_IF_ERROR(MakeFolder(folder, 0777));
    if (volume.memory) SKERRY_RETURN_IF_ERROR(MountTmpfs(folder, volume.size_bytes_max));
    if (volume.memory) SKERRY_RETURN_IF_ERROR(MakeFolder(folder, 0777));
    if (pod.fs_group.has_value()) {
      if (chown(folder.c_str(), static_cast<uid_t>(-1), static_cast<gid_t>(*pod.fs_group)) != 0 ||
          chmod(folder.c_str(), 02777) != 0)
        return absl::ErrnoToStatus(errno, absl::StrCat("set the group of ", folder));
    }
    return folder;
  }
  SKERRY_ASSIGN_OR_RETURN(const VolumeFiles files, PlanFiles(pod, volume, place, objects, node));
  std::error_code error;
  if (!fs::exists(folder, error)) SKERRY_RETURN_IF_ERROR(MakeFolder(folder, 0755));
  if (OnTmpfs(volume)) {
    SKERRY_RETURN_IF_ERROR(MountTmpfs(folder, 0));
    if (chmod(folder.c_str(), 0755) != 0)
      return absl::ErrnoToStatus(errno, absl::StrCat("chmod ", folder));
  }
  SKERRY_RETURN_IF_ERROR(WriteAtomically(folder, files, pod.fs_group).status());
  return folder;
}

absl::StatusOr<std::map<std::string, std::string>> PodFolders::Prepare(
    const PodSpec& pod, const PodPlace& place, const ObjectSource& objects,
    const NodeResources& node) const {
  std::map<std::string, std::string> out;
  for (const VolumeSpec& volume : pod.volumes) {
    absl::StatusOr<std::string> path = PrepareOne(pod, volume, place, objects, node);
    if (!path.ok())
      return Annotate(path.status(),
                      absl::StrCat("MountVolume.SetUp failed for volume \"", volume.name, "\" "));
    out[volume.name] = *std::move(path);
  }
  return out;
}

absl::StatusOr<std::string> PodFolders::BindSubPath(const PodSpec& pod, const std::string& volume,
                                                    const std::string& volume_path,
                                                    const std::string& sub_path,
                                                    const std::string& container,
                                                    size_t index) const {
  const std::string target =
      absl::StrCat(PodFolder(pod), "/volume-subpaths/", volume, "/", container, "/", index);
  // A restart mounts anew: the files behind a ConfigMap's subPath may be others by now.
  std::error_code error;
  if (fs::exists(target, error)) {
    SKERRY_RETURN_IF_ERROR(UnmountAt(target));
    fs::remove(target, error);
  }
  SKERRY_RETURN_IF_ERROR(BindInside(volume_path, sub_path, target));
  return target;
}

absl::StatusOr<std::string> PodFolders::WriteEtcHosts(
    const PodSpec& pod, const std::string& hostname,
    const std::vector<std::string>& addresses) const {
  std::string text =
      "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost "
      "ip6-loopback\n"
      "fe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-"
      "allrouters\n";
  for (const std::string& address : addresses)
    absl::StrAppend(&text, address, "\t", hostname, "\n");
  if (!pod.host_aliases.empty()) text += "\n# Entries added by HostAliases.\n";
  for (const HostAlias& alias : pod.host_aliases)
    absl::StrAppend(&text, alias.ip, "\t", absl::StrJoin(alias.names, "\t"), "\n");
  const std::string path = PodFolder(pod) + "/etc-hosts";
  SKERRY_RETURN_IF_ERROR(MakeFolder(PodFolder(pod), 0750));
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out || chmod(path.c_str(), 0644) != 0)
    return absl::InternalError(absl::StrCat("could not write ", path));
  return path;
}

absl::StatusOr<std::string> PodFolders::MakeTerminationLog(const PodSpec& pod,
                                                           const std::string& container,
                                                           int32_t restart) const {
  const std::string folder = absl::StrCat(PodFolder(pod), "/containers/", container);
  SKERRY_RETURN_IF_ERROR(MakeFolder(folder, 0750));
  const std::string path = absl::StrCat(folder, "/", restart);
  std::error_code error;
  fs::remove(path, error);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat("create ", path));
  fchmod(fd, 0666);  // Whatever user the container runs as.
  close(fd);
  return path;
}

std::string PodFolders::TerminationMessage(const PodSpec& pod, const std::string& container,
                                           int32_t restart, bool or_log) const {
  std::string message = ReadTail(
      absl::StrCat(PodFolder(pod), "/containers/", container, "/", restart), kMessageMax, false);
  if (message.empty() && or_log)
    message = LogTail(absl::StrCat(LogFolder(pod), "/", container, "/", restart, ".log"));
  return message;
}

std::string PodFolders::LogFolder(const PodSpec& pod) const {
  return absl::StrCat(logs_, "/", pod.name_space, "_", pod.name, "_", pod.uid);
}

absl::Status PodFolders::MakeLogFolder(const PodSpec& pod, const std::string& container) const {
  return MakeFolder(absl::StrCat(LogFolder(pod), "/", container), 0755);
}

void PodFolders::RemoveLog(const PodSpec& pod, const std::string& container,
                           int32_t restart) const {
  const std::string log = absl::StrCat(LogFolder(pod), "/", container, "/", restart, ".log");
  std::error_code ignored;
  for (const std::string& name : RotatedLogs(log))
    fs::remove(absl::StrCat(LogFolder(pod), "/", container, "/", name), ignored);
  fs::remove(log, ignored);
  fs::remove(absl::StrCat(PodFolder(pod), "/containers/", container, "/", restart), ignored);
}

absl::Status PodFolders::Remove(const PodSpec& pod) const {
  SKERRY_RETURN_IF_ERROR(UnmountBelow(PodFolder(pod)));
  std::error_code error;
  fs::remove_all(PodFolder(pod), error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("remove ", PodFolder(pod)));
  if (!pod.name.empty()) fs::remove_all(LogFolder(pod), error);
  return absl::OkStatus();
}

std::vector<std::string> PodFolders::List() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root_ + "/pods", error))
    out.push_back(entry.path().filename().string());
  return out;
}

}  // namespace skerry::edged
