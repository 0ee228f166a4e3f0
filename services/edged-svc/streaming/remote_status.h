// What exec and attach say beside their bytes: how it ended, and the terminal's size. Pure.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_STATUS_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_STATUS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged {

// v4 and later: a metav1.Status as JSON. Before: words, and none where all went well.
enum class StatusFormat { kWords, kJson };

std::string ExitStatus(StatusFormat format, int exit_code);
// As the kubelet: `doing` is "error executing command in container" or the like.
std::string FailureStatus(StatusFormat format, absl::string_view doing, const absl::Status& why);

struct TerminalSize {
  uint16_t width = 0, height = 0;
  bool operator==(const TerminalSize&) const = default;
};

// Reads {"Width":80,"Height":24} after {"Width":…}, as they come in pieces. Not thread-safe.
class ResizeReader {
 public:
  static constexpr size_t kBytesMax = 1024;  // Of one.

  // What is complete now. RESIZE_INVALID ends it: the rest can't be told apart.
  absl::StatusOr<std::vector<TerminalSize>> Put(absl::string_view bytes);

 private:
  std::string buffer_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_REMOTE_STATUS_H_
