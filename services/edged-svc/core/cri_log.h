// Lines of a container's log as the runtime writes them (CRI), and as a reader wants them.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_CRI_LOG_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_CRI_LOG_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/log_options.h"

namespace skerry::edged {

struct CriLogLine {
  absl::string_view stamp;  // As written: "2016-10-06T00:17:09.669794202Z".
  absl::Time time;
  bool partial = false;  // The next line goes on with it.
  absl::string_view text;
};

// "2016-10-06T00:17:09.669794202Z stdout F text", without its newline; nothing for any other.
std::optional<CriLogLine> ParseCriLogLine(absl::string_view line);

// Turns lines of the file into what is sent. One thread.
class LogFormatter {
 public:
  explicit LogFormatter(const LogOptions& options)
      : options_(options), left_(options.limit_bytes) {}

  // Appends what is to be sent of `line`; lines that are none of CRI's are left out.
  void Append(absl::string_view line, std::string& out);
  // As many bytes were sent as were asked for.
  bool Full() const { return left_.has_value() && *left_ == 0; }

 private:
  const LogOptions options_;
  std::optional<int64_t> left_;
  bool in_line_ = false;  // The last line was partial.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_CRI_LOG_H_
