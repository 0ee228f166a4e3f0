// The log file of one start of a container, read line by line while it grows and is rotated.
#ifndef SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_FILE_H_
#define SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

// Blocking reads of a local file. One thread at a time.
class LogFile {
 public:
  // tail_lines: begin with the last so many. NOT_FOUND where there is no such file.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(const std::string& path,
                                                       std::optional<int64_t> tail_lines);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Hands whole lines that are there now to `take`, without their newlines, until it returns false.
  // False: all was read. A file that was rotated is read to its end, then the one in its place.
  absl::StatusOr<bool> Read(absl::FunctionRef<bool(absl::string_view line)> take);
  // What is left of a line that never ended.
  const std::string& rest() const { return buffer_; }

 private:
  LogFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  // True if there is another file in its place, which is open now.
  bool Reopen();

  const std::string path_;
  int fd_;
  std::string buffer_;  // Read and not handed out.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_FILE_H_
