#include "tools/skerryctl/step_error.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "tools/skerryctl/printable.h"

namespace skerry::skerryctl {

absl::Status ToStatus(const StepError& error) {
  return Error(absl::StatusCode::kFailedPrecondition, absl::StrCat(error.step, ": ", error.seen))
      .Reason(error.reason)
      .Meta("exit_code", absl::StrCat(static_cast<int>(error.exit_code)))
      .Meta("step", error.step)
      .Meta("expected", error.expected)
      .Meta("seen", error.seen)
      .Meta("fix", error.fix);
}

StepError FromStatus(const absl::Status& status) {
  ErrorInfo info = GetErrorInfo(status);
  StepError error;
  error.reason = info.reason;
  int code = 0;
  if (absl::SimpleAtoi(info.metadata["exit_code"], &code)) {
    error.exit_code = static_cast<ExitCode>(code);
    error.step = info.metadata["step"];
    error.expected = info.metadata["expected"];
    error.seen = info.metadata["seen"];
    error.fix = info.metadata["fix"];
    return error;
  }
  error.seen = absl::StrCat(absl::StatusCodeToString(status.code()), ": ", status.message());
  if (absl::IsInvalidArgument(status)) error.exit_code = ExitCode::kUsage;
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status))
    error.exit_code = ExitCode::kUnreachable;
  if (absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status))
    error.exit_code = ExitCode::kRefused;
  return error;
}

std::string Describe(const StepError& error) {
  std::string text = "error";
  if (!error.reason.empty()) absl::StrAppend(&text, " [", Printable(error.reason), "]");
  if (!error.step.empty()) absl::StrAppend(&text, " at step '", error.step, "'");
  auto line = [&text](absl::string_view label, const std::string& value) {
    if (!value.empty()) absl::StrAppend(&text, "\n  ", label, Printable(value));
  };
  line("expected: ", error.expected);
  line("seen:     ", error.seen);
  line("fix:      ", error.fix);
  return text + "\n";
}

}  // namespace skerry::skerryctl
