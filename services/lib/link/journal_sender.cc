#include "services/lib/link/journal_sender.h"

#include "absl/strings/str_cat.h"

namespace skerry::link {

void JournalSender::Restart() {
  in_flight_.clear();
  in_flight_bytes_ = 0;
  sent_ = acked_ = 0;
  fetching_ = false;
  more_ = true;
}

std::optional<JournalSender::Fetch> JournalSender::NextFetch() const {
  if (!more_ || fetching_ || in_flight_.size() >= window_.count ||
      in_flight_bytes_ >= window_.bytes) {
    return std::nullopt;
  }
  return Fetch{sent_, window_.count - in_flight_.size(), window_.bytes - in_flight_bytes_};
}

void JournalSender::Sent(uint64_t sequence, size_t bytes) {
  sent_ = sequence;
  in_flight_[sequence] = bytes;
  in_flight_bytes_ += bytes;
}

absl::Status JournalSender::Ack(uint64_t sequence) {
  if (sequence <= acked_ || sequence > sent_) {
    return Violation(rule_, absl::StrCat("ack of ", what_, " up to ", sequence, " is outside ",
                                         acked_ + 1, " to ", sent_));
  }
  acked_ = sequence;
  while (!in_flight_.empty() && in_flight_.begin()->first <= sequence) {
    in_flight_bytes_ -= in_flight_.begin()->second;
    in_flight_.erase(in_flight_.begin());
  }
  return absl::OkStatus();
}

}  // namespace skerry::link
