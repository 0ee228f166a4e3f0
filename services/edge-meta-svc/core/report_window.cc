#include "services/edge-meta-svc/core/report_window.h"

namespace skerry::edgemeta {

ReportWindow::ReportWindow(size_t in_flight_max) : in_flight_max_(in_flight_max) {}

void ReportWindow::Attach() {
  attached_ = true;
  paused_ = false;
  cursor_ = 0;
  in_flight_.clear();
}

void ReportWindow::Detach() {
  attached_ = false;
  in_flight_.clear();
}

void ReportWindow::Restart() {
  paused_ = false;
  cursor_ = 0;
}

size_t ReportWindow::room() const {
  if (!attached_ || paused_ || in_flight_.size() >= in_flight_max_) return 0;
  return in_flight_max_ - in_flight_.size();
}

bool ReportWindow::Send(int64_t number) {
  if (room() == 0 || number <= cursor_) return false;
  cursor_ = number;
  return in_flight_.insert(number).second;
}

ReportWindow::Verdict ReportWindow::OnAnswer(int64_t number, const absl::Status& status) {
  if (in_flight_.erase(number) == 0) return Verdict::kUnknown;
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return Verdict::kDone;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return Verdict::kRefused;
    default:
      paused_ = true;
      return Verdict::kRetry;
  }
}

}  // namespace skerry::edgemeta
