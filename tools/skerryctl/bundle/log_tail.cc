#include "tools/skerryctl/bundle/log_tail.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::skerryctl {
namespace {

absl::Status FileError(const std::string& path, int code) {
  const absl::StatusCode status = code == ENOENT   ? absl::StatusCode::kNotFound
                                  : code == EACCES ? absl::StatusCode::kPermissionDenied
                                                   : absl::StatusCode::kInvalidArgument;
  return Error(status, absl::StrCat("cannot read ", path, ": ", strerror(code)))
      .Reason("FILE_UNREADABLE")
      .Meta("path", path);
}

// Where the last `lines` lines begin; what comes before the first whole line is left out if `cut`.
size_t BeginOf(const std::string& text, size_t lines, bool cut) {
  size_t at = text.size();
  if (at > 0 && text[at - 1] == '\n') --at;
  for (size_t seen = 0; at > 0; --at) {
    if (text[at - 1] == '\n' && ++seen == lines) return at;
  }
  const size_t first = cut ? text.find('\n') : std::string::npos;
  return first == std::string::npos ? 0 : first + 1;
}

}  // namespace

absl::StatusOr<std::string> ReadTail(const std::string& path, size_t lines) {
  // A FIFO must not hold us up.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return FileError(path, errno);
  struct stat status = {};
  std::string text;
  int failed = fstat(file, &status) != 0 ? errno : 0;
  if (failed == 0 && !S_ISREG(status.st_mode)) failed = EINVAL;
  const size_t size = failed == 0 ? static_cast<size_t>(status.st_size) : 0;
  const size_t want = std::min(size, kLogTailMax);
  text.resize(want);
  size_t have = 0;
  while (failed == 0 && have < want) {
    const ssize_t got =
        pread(file, text.data() + have, want - have, static_cast<off_t>(size - want + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) failed = errno;
    if (got <= 0) break;  // It has become shorter.
    have += static_cast<size_t>(got);
  }
  close(file);
  if (failed != 0) return FileError(path, failed);
  text.resize(have);
  return text.substr(lines == 0 ? text.size() : BeginOf(text, lines, want < size));
}

}  // namespace skerry::skerryctl
