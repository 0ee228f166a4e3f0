#include "tools/skerryctl/doctor/local_probes.h"

#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"

namespace skerry::skerryctl {

absl::Status ProbeUnixSocket(absl::string_view address) {
  absl::string_view path = address;
  if (!absl::ConsumePrefix(&path, "unix://") && !absl::ConsumePrefix(&path, "unix:")) {
    return InvalidField("address", address, "give unix:///path");
  }
  sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  if (path.size() >= sizeof(name.sun_path)) {
    return InvalidField("address", address, "give a path of at most 107 bytes");
  }
  std::memcpy(name.sun_path, path.data(), path.size());
  const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return absl::InternalError(strerror(errno));
  const int failed = connect(file, reinterpret_cast<const sockaddr*>(&name), sizeof(name));
  const int code = failed != 0 ? errno : 0;
  close(file);
  if (code == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, absl::StrCat(path, ": ", strerror(code)))
      .Reason("CONNECT_FAILED");
}

Disk LookAtDisk(const std::string& folder) {
  Disk disk = {.folder = folder};
  struct statvfs room = {};
  if (statvfs(folder.c_str(), &room) != 0) {
    const int code = errno;
    disk.seen = Error(absl::StatusCode::kNotFound, absl::StrCat(folder, ": ", strerror(code)))
                    .Reason("FOLDER_MISSING");
    return disk;
  }
  disk.read_only = (room.f_flag & ST_RDONLY) != 0;
  disk.free_bytes = static_cast<int64_t>(room.f_bavail) * static_cast<int64_t>(room.f_frsize);
  if (room.f_files > 0) disk.free_inodes = static_cast<int64_t>(room.f_favail);
  return disk;
}

}  // namespace skerry::skerryctl
