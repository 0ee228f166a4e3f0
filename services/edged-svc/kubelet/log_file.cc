#include "services/edged-svc/kubelet/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr size_t kBlock = 32u << 10;
// A longer line is handed out in pieces, which parse as no line and are left out: no runtime writes
// lines of more than 16 KiB.
constexpr size_t kLineMax = 256u << 10;

absl::Status Failed(const std::string& path, int error) {
  if (error == ENOENT)
    return absl::NotFoundError(absl::StrCat("open ", path, ": no such file or directory"));
  return absl::ErrnoToStatus(error, absl::StrCat("read ", path));
}

// Where the last `lines` lines begin; a line that has not ended counts as none.
absl::StatusOr<off_t> TailStart(int fd, const std::string& path, int64_t lines) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return Failed(path, errno);
  if (lines == 0) return info.st_size;
  std::string block(kBlock, '\0');
  int64_t newlines = 0;
  for (off_t end = info.st_size; end > 0;) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(kBlock));
    const ssize_t got = pread(fd, block.data(), static_cast<size_t>(end - begin), begin);
    if (got < 0) return Failed(path, errno);
    for (ssize_t i = got; i > 0; --i) {
      if (block[static_cast<size_t>(i - 1)] == '\n' && ++newlines > lines) return begin + i;
    }
    end = begin;
  }
  return 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(const std::string& path,
                                                       std::optional<int64_t> tail_lines) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Failed(path, errno);
  std::unique_ptr<LogFile> file(new LogFile(path, fd));
  if (tail_lines.has_value()) {
    SKERRY_ASSIGN_OR_RETURN(const off_t start, TailStart(fd, path, *tail_lines));
    if (lseek(fd, start, SEEK_SET) < 0) return Failed(path, errno);
  }
  return file;
}

LogFile::~LogFile() { close(fd_); }

bool LogFile::Reopen() {
  struct stat mine {
  }, there{};
  if (fstat(fd_, &mine) != 0 || stat(path_.c_str(), &there) != 0) return false;
  if (mine.st_ino == there.st_ino && mine.st_dev == there.st_dev) return false;
  const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  close(std::exchange(fd_, fd));
  return true;
}

absl::StatusOr<bool> LogFile::Read(absl::FunctionRef<bool(absl::string_view line)> take) {
  while (true) {
    size_t begin = 0;
    bool more = true;
    while (more) {
      const size_t end = buffer_.find('\n', begin);
      if (end == std::string::npos) break;
      more = take(absl::string_view(buffer_).substr(begin, end - begin));
      begin = end + 1;
    }
    buffer_.erase(0, begin);
    if (!more) return true;
    if (buffer_.size() >= kLineMax) buffer_.clear();
    const size_t held = buffer_.size();
    buffer_.resize(held + kBlock);
    const ssize_t got = read(fd_, buffer_.data() + held, kBlock);
    buffer_.resize(held + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return Failed(path_, errno);
    if (got == 0 && !Reopen()) return false;
  }
}

}  // namespace skerry::edged
