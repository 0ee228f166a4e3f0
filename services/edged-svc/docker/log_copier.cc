#include "services/edged-svc/docker/log_copier.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/adapters/log_files.h"
#include "services/edged-svc/core/docker_log.h"
#include "services/edged-svc/core/log_rotation.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr size_t kTailBytes = 256 << 10;  // Of a file, in which its last lines are looked for.

absl::Status FileError(const char* what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

// One descriptor, closed with it.
class File {
 public:
  explicit File(int fd = -1) : fd_(fd) {}
  ~File() { Reset(-1); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  void Reset(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// Of an answer: Docker's end, the container's, or our own are told elsewhere.
absl::Status Reportable(const absl::Status& status) {
  return absl::IsCancelled(status) || absl::IsNotFound(status) || absl::IsUnavailable(status)
             ? absl::OkStatus()
             : status;
}

absl::StatusOr<std::string> ReadTail(int fd, const std::string& path) {
  struct stat info;
  if (fstat(fd, &info) != 0) return FileError("fstat", path);
  const off_t begin = std::max<off_t>(0, info.st_size - static_cast<off_t>(kTailBytes));
  std::string tail(static_cast<size_t>(info.st_size - begin), '\0');
  const ssize_t n = pread(fd, tail.data(), tail.size(), begin);
  if (n < 0) return FileError("read", path);
  tail.resize(static_cast<size_t>(n));
  return tail;
}

}  // namespace

struct LogCopier::Copy {
  explicit Copy(Log described) : log(std::move(described)) {}

  // Opens the file and finds where it ends.
  absl::Status Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  absl::Status Append(absl::string_view lines) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Whether it is a failure that was not told yet.
  bool IsNews(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    std::string text = status.ok() ? "" : status.ToString();
    if (text == told) return false;
    told = std::move(text);
    return !told.empty();
  }

  const Log log;
  absl::Mutex mutex;
  File file ABSL_GUARDED_BY(mutex);
  LogPosition position ABSL_GUARDED_BY(mutex);  // What the files have.
  bool positioned ABSL_GUARDED_BY(mutex) = false;
  // Docker has the last line, as a pass to the end of its log has found; or it has it no more.
  bool caught_up ABSL_GUARDED_BY(mutex) = false;
  bool gap ABSL_GUARDED_BY(mutex) = false;
  bool active ABSL_GUARDED_BY(mutex) = false;
  bool whole ABSL_GUARDED_BY(mutex) = false;
  std::string told ABSL_GUARDED_BY(mutex);  // The last failure.
};

absl::Status LogCopier::Copy::Open() {
  if (file.get() < 0) {
    file.Reset(open(log.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
    if (file.get() < 0) return FileError("open", log.path);
  }
  if (positioned) return absl::OkStatus();
  SKERRY_ASSIGN_OR_RETURN(std::string tail, ReadTail(file.get(), log.path));
  // A line that the power's end has torn is told again whole.
  const size_t newline = tail.rfind('\n');
  const size_t torn = newline == std::string::npos ? tail.size() : tail.size() - newline - 1;
  if (torn > 0) {
    struct stat info;
    if (fstat(file.get(), &info) != 0 ||
        ftruncate(file.get(), info.st_size - static_cast<off_t>(torn)) != 0)
      return FileError("truncate", log.path);
  }
  position = FindPosition(tail);
  if (position.empty()) {
    // Rotated just now: the newest of the others has the last line.
    const std::string last = Newest(RotatedLogs(log.path));
    const std::string path = log.path.substr(0, log.path.rfind('/') + 1) + last;
    const File old(last.empty() ? -1 : open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (old.get() >= 0) {
      SKERRY_ASSIGN_OR_RETURN(tail, ReadTail(old.get(), path));
      position = FindPosition(tail);
    }
  }
  positioned = true;
  caught_up = gap = false;
  return absl::OkStatus();
}

absl::Status LogCopier::Copy::Append(absl::string_view lines) {
  struct stat info;
  if (fstat(file.get(), &info) != 0) return FileError("fstat", log.path);
  while (!lines.empty()) {
    const ssize_t n = write(file.get(), lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const absl::Status status = FileError("write", log.path);
      // Half a line would become one with what is written when there is room again.
      if (ftruncate(file.get(), info.st_size) != 0) positioned = false;
      return status;
    }
    lines.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

std::shared_ptr<LogCopier::Copy> LogCopier::Find(const Log& log) {
  absl::MutexLock lock(&mutex_);
  std::shared_ptr<Copy>& copy = copies_[log.id];
  if (copy == nullptr) copy = std::make_shared<Copy>(log);
  return copy;
}

void LogCopier::Follow(const Log& log) { Begin(Find(log), true); }

bool LogCopier::Finish(const Log& log) {
  const std::shared_ptr<Copy> copy = Find(log);
  {
    absl::MutexLock lock(&copy->mutex);
    if (copy->whole) return true;
  }
  Begin(copy, false);
  return false;
}

absl::Status LogCopier::Reopen(absl::string_view id) {
  std::shared_ptr<Copy> copy;
  {
    absl::MutexLock lock(&mutex_);
    if (const auto it = copies_.find(id); it != copies_.end()) copy = it->second;
  }
  if (copy != nullptr) {
    absl::MutexLock lock(&copy->mutex);
    if (copy->active) {
      copy->file.Reset(open(copy->log.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
      return copy->file.get() < 0 ? FileError("open", copy->log.path) : absl::OkStatus();
    }
  }
  return absl::FailedPreconditionError(absl::StrCat("container ", id, " is not running"));
}

void LogCopier::Retain(const std::set<std::string>& ids) {
  absl::MutexLock lock(&mutex_);
  std::erase_if(copies_, [&](const auto& entry) { return !ids.contains(entry.first); });
}

// A copy goes on behind its last line. Docker's log is read to its end first, which tells whether
// that line is in it still; only then it is followed.
void LogCopier::Begin(const std::shared_ptr<Copy>& copy, bool runs) {
  std::string since;
  bool follow = false;
  std::shared_ptr<LogResumer> resumer;
  {
    absl::ReleasableMutexLock lock(&copy->mutex);
    if (copy->active || copy->whole) return;
    if (absl::Status opened = copy->Open(); !opened.ok()) {
      const bool news = copy->IsNews(opened);
      lock.Release();
      if (news) failed_(copy->log, opened);
      return;
    }
    follow = runs && (copy->position.empty() || copy->caught_up);
    resumer = std::make_shared<LogResumer>(
        copy->position, copy->gap ? LogResumer::Begin::kNewer : LogResumer::Begin::kBehindLast);
    copy->active = true;
    copy->caught_up = false;
    since = SinceOf(copy->position);
  }
  EngineRequest request;
  request.target = absl::StrCat("/containers/", copy->log.id,
                                "/logs?stdout=1&stderr=1&timestamps=1&follow=", follow ? 1 : 0,
                                since.empty() ? "" : "&since=", since);
  request.endless = true;
  auto error = std::make_shared<absl::Status>();
  engine_.Read(
      std::move(request),
      [copy, resumer, error,
       reader = DockerLogReader(copy->log.tty)](absl::string_view piece) mutable {
        std::string lines;
        *error = reader.Put(piece, [&](const DockerLogEntry& entry) {
          if (resumer->Take(entry)) lines += ToCriLine(entry);
        });
        absl::MutexLock lock(&copy->mutex);
        const absl::Status written = copy->Append(lines);
        if (written.ok()) copy->position = resumer->position();
        if (error->ok()) *error = written;
        return error->ok();
      },
      [copy, resumer, error, follow, runs, failed = failed_](absl::Status status) {
        if (error->ok()) *error = Reportable(status);
        bool news = false;
        {
          absl::MutexLock lock(&copy->mutex);
          copy->active = false;
          if (status.ok() && !follow) {
            copy->caught_up = resumer->found() || copy->gap;
            copy->gap = !resumer->found();
            copy->whole = copy->caught_up && !runs;
          }
          if (copy->whole) copy->file.Reset(-1);
          news = copy->IsNews(*error);
        }
        if (news) failed(copy->log, *error);
      });
}

}  // namespace skerry::edged
