#include "services/lib/link/report_receiver.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::link {

absl::Status ReportReceiver::Receive(Report report) {
  if (report.sequence <= received_) {
    return Violation("link-5.2",
                     absl::StrCat("report ", report.sequence, " of ", type_, " after ", received_));
  }
  if (entries_.size() >= kReportWindowCount || bytes_ >= kReportWindowBytes) {
    return Violation("link-5.3", absl::StrCat("more than ", entries_.size(), " reports of ", type_,
                                              " in flight"));
  }
  received_ = report.sequence;
  // A value that no owner has seen yet is replaced by a newer one of its key.
  for (auto& [sequence, entry] : entries_) {
    if (entry.state == State::kWaiting && entry.report.key == report.key) Finish(entry);
  }
  bytes_ += ReportBytes(report);
  const uint64_t sequence = report.sequence;
  entries_[sequence].report = std::move(report);
  return absl::OkStatus();
}

std::vector<Report> ReportReceiver::TakeForOwner() {
  std::vector<Report> reports;
  for (auto& [sequence, entry] : entries_) {
    if (entry.state != State::kWaiting) continue;
    entry.state = State::kWithOwner;
    reports.push_back(entry.report);
  }
  return reports;
}

void ReportReceiver::OwnerLost() {
  // The former owner may have applied any of them: only the newest of a key can't take that back.
  std::set<absl::string_view> newer;
  for (auto it = entries_.rbegin(); it != entries_.rend(); ++it) {
    Entry& entry = it->second;
    const bool newest = newer.insert(entry.report.key).second;
    if (entry.state != State::kWithOwner) continue;
    if (newest) {
      entry.state = State::kWaiting;
    } else {
      Finish(entry);
    }
  }
}

bool ReportReceiver::Done(uint64_t sequence, const absl::Status& status) {
  auto it = entries_.find(sequence);
  if (it == entries_.end() || it->second.state != State::kWithOwner) return false;
  it->second.status = status;
  Finish(it->second);
  return true;
}

void ReportReceiver::Finish(Entry& entry) {
  entry.state = State::kDone;
  bytes_ -= entry.report.value.size();
  entry.report.value.clear();
}

std::optional<ReportAck> ReportReceiver::TakeAck() {
  ReportAck ack;
  while (!entries_.empty() && entries_.begin()->second.state == State::kDone) {
    Entry& entry = entries_.begin()->second;
    ack.sequence = entries_.begin()->first;
    if (!entry.status.ok()) ack.rejections.push_back({ack.sequence, std::move(entry.status)});
    bytes_ -= ReportBytes(entry.report);
    entries_.erase(entries_.begin());
  }
  if (ack.sequence == 0) return std::nullopt;
  ack.type = type_;
  return ack;
}

}  // namespace skerry::link
