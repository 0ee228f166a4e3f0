#include "services/lib/link/report_sender.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace skerry::link {

void ReportSender::Stored(uint64_t sequence) {
  if (sequence > sent_) more_ = true;
}

void ReportSender::Restart() {
  in_flight_.clear();
  in_flight_bytes_ = 0;
  sent_ = acked_ = 0;
  fetching_ = false;
  more_ = true;
}

std::optional<ReportSender::Fetch> ReportSender::NextFetch() {
  if (!more_ || fetching_ || in_flight_.size() >= kReportWindowCount ||
      in_flight_bytes_ >= kReportWindowBytes) {
    return std::nullopt;
  }
  fetching_ = true;
  more_ = false;  // Set again by Stored while the read is under way, or by Fetched.
  return Fetch{sent_, kReportWindowCount - in_flight_.size(),
               kReportWindowBytes - in_flight_bytes_};
}

void ReportSender::Sent(const Report& report) {
  sent_ = report.sequence;
  in_flight_[report.sequence] = ReportBytes(report);
  in_flight_bytes_ += ReportBytes(report);
}

void ReportSender::Fetched(bool more) {
  fetching_ = false;
  more_ = more_ || more;
}

absl::Status ReportSender::Ack(uint64_t sequence) {
  if (sequence <= acked_ || sequence > sent_) {
    return Violation("link-5.5", absl::StrCat("ack of reports of ", type_, " up to ", sequence,
                                              " is outside ", acked_ + 1, " to ", sent_));
  }
  acked_ = sequence;
  while (!in_flight_.empty() && in_flight_.begin()->first <= sequence) {
    in_flight_bytes_ -= in_flight_.begin()->second;
    in_flight_.erase(in_flight_.begin());
  }
  return absl::OkStatus();
}

}  // namespace skerry::link
