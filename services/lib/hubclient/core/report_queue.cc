#include "services/lib/hubclient/core/report_queue.h"

namespace skerry::hubclient {

bool IsRefusedForGood(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

std::optional<Report> ReportQueue::Put(Report report) {
  Name name(report.type, report.key);
  Entry& entry = entries_[name];
  std::optional<Report> replaced = std::exchange(entry.waiting, std::move(report));
  if (!replaced.has_value() && !entry.under_way.has_value()) order_.push_back(std::move(name));
  return replaced;
}

std::optional<ReportQueue::Sent> ReportQueue::Next() {
  if (paused_ || order_.empty() || in_flight_.size() >= in_flight_max_) return std::nullopt;
  const Name name = std::move(order_.front());
  order_.pop_front();
  Entry& entry = entries_.at(name);
  entry.under_way = std::exchange(entry.waiting, std::nullopt);
  in_flight_[++last_request_] = name;
  return Sent{last_request_, *entry.under_way};
}

std::optional<Report> ReportQueue::WaitAgain(const Name& name) {
  Entry& entry = entries_.at(name);
  std::optional<Report> older = std::exchange(entry.under_way, std::nullopt);
  order_.push_front(name);
  if (entry.waiting.has_value()) return older;
  entry.waiting = std::move(older);
  return std::nullopt;
}

ReportQueue::Answer ReportQueue::Answered(uint64_t request_id, const absl::Status& status) {
  const auto it = in_flight_.find(request_id);
  if (it == in_flight_.end()) return {};
  const Name name = std::move(it->second);
  in_flight_.erase(it);
  if (!status.ok() && !IsRefusedForGood(status)) {
    paused_ = true;
    return {Verdict::kRetry, WaitAgain(name)};
  }
  Entry& entry = entries_.at(name);
  Answer answer{status.ok() ? Verdict::kStored : Verdict::kRefused,
                std::exchange(entry.under_way, std::nullopt)};
  if (entry.waiting.has_value()) {
    order_.push_back(name);
  } else {
    entries_.erase(name);
  }
  return answer;
}

std::vector<Report> ReportQueue::Detach() {
  paused_ = false;
  std::vector<Report> replaced;
  // The oldest goes first again.
  const std::map<uint64_t, Name> lost = std::exchange(in_flight_, {});
  for (auto it = lost.rbegin(); it != lost.rend(); ++it) {
    std::optional<Report> older = WaitAgain(it->second);
    if (older.has_value()) replaced.push_back(*std::move(older));
  }
  return replaced;
}

std::vector<Report> ReportQueue::Clear() {
  std::vector<Report> all;
  for (auto& [name, entry] : entries_) {
    if (entry.under_way.has_value()) all.push_back(*std::move(entry.under_way));
    if (entry.waiting.has_value()) all.push_back(*std::move(entry.waiting));
  }
  entries_.clear();
  order_.clear();
  in_flight_.clear();
  return all;
}

}  // namespace skerry::hubclient
