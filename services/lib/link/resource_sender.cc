#include "services/lib/link/resource_sender.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::link {

void ResourceSender::Push(Change change) {
  if (overflowed_) return;
  const size_t bytes = ChangeBytes(change);
  if (change.kind != Change::Kind::kSynced) {
    auto it = unsent_by_key_.find(change.key);
    if (it != unsent_by_key_.end()) {
      unsent_bytes_ += bytes - ChangeBytes(*it->second);
      *it->second = std::move(change);
      return;
    }
  }
  unsent_bytes_ += bytes;
  unsent_.push_back(std::move(change));
  if (unsent_.back().kind != Change::Kind::kSynced) {
    unsent_by_key_[unsent_.back().key] = std::prev(unsent_.end());
  }
}

size_t ResourceSender::next_bytes() const {
  if (unsent_.empty() || in_flight_bytes_ >= kResourceWindowBytes) return 0;
  return ChangeBytes(unsent_.front());
}

std::optional<ResourceChange> ResourceSender::Next() {
  if (next_bytes() == 0) return std::nullopt;
  ResourceChange frame;
  frame.type = type_;
  frame.subscription_id = subscription_id_;
  frame.change = std::move(unsent_.front());
  unsent_.pop_front();
  if (frame.change.kind != Change::Kind::kSynced) unsent_by_key_.erase(frame.change.key);

  const size_t bytes = ChangeBytes(frame.change);
  unsent_bytes_ -= bytes;
  in_flight_bytes_ += bytes;
  in_flight_.push_back({frame.change.key, frame.change.version, bytes});
  frame.sequence = acked_ + in_flight_.size();
  return frame;
}

absl::StatusOr<std::vector<PushOutcome>> ResourceSender::Ack(const ResourceAck& ack) {
  if (ack.sequence < acked_ || ack.sequence > acked_ + in_flight_.size()) {
    return Violation("link-4.8",
                     absl::StrCat("ack of ", type_, " up to ", ack.sequence, " is outside ", acked_,
                                  " to ", acked_ + in_flight_.size()));
  }
  std::map<uint64_t, const absl::Status*> rejected;
  for (const Rejection& rejection : ack.rejections) {
    if (rejection.sequence <= acked_ || rejection.sequence > ack.sequence ||
        rejection.status.ok()) {
      return Violation("link-4.9", absl::StrCat("rejection of ", type_, " ", rejection.sequence,
                                                " is outside this ack or carries no error"));
    }
    rejected[rejection.sequence] = &rejection.status;
  }
  std::vector<PushOutcome> outcomes;
  outcomes.reserve(ack.sequence - acked_);
  while (acked_ < ack.sequence) {
    ++acked_;
    InFlight& item = in_flight_.front();
    synced_ |= item.key.empty();
    auto it = rejected.find(acked_);
    outcomes.push_back({std::move(item.key), std::move(item.version),
                        it == rejected.end() ? absl::OkStatus() : *it->second});
    in_flight_bytes_ -= item.bytes;
    in_flight_.pop_front();
  }
  return outcomes;
}

void ResourceSender::Overflow() {
  overflowed_ = true;
  unsent_.clear();
  unsent_by_key_.clear();
  unsent_bytes_ = 0;
}

}  // namespace skerry::link
