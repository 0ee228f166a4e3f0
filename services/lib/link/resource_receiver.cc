#include "services/lib/link/resource_receiver.h"

#include "absl/strings/str_cat.h"

namespace skerry::link {

void ResourceReceiver::Request(uint64_t subscription_id) {
  Close();
  requested_id_ = subscription_id;
}

void ResourceReceiver::Close() {
  requested_id_ = 0;
  open_ = more_ = false;
  received_ = done_ = synced_sequence_ = 0;
  in_hand_.clear();
  in_hand_bytes_ = 0;
}

absl::StatusOr<bool> ResourceReceiver::Subscribed(const Subscribe& frame) {
  if (frame.subscription_id != requested_id_ || requested_id_ == 0) return false;
  if (open_ && !more_) {
    return absl::InvalidArgumentError(absl::StrCat("subscription ", frame.subscription_id, " of ",
                                                   type_, " was answered before"));
  }
  open_ = true;
  more_ = frame.more;
  return true;
}

absl::StatusOr<bool> ResourceReceiver::Receive(const ResourceChange& frame) {
  if (frame.subscription_id != requested_id_ || !open_) {
    // Of an earlier subscription that this end has closed, while the cloud did not know that yet.
    return false;
  }
  if (frame.sequence != received_ + 1) {
    return Violation("link-4.6",
                     absl::StrCat("change ", frame.sequence, " of ", type_, " after ", received_));
  }
  if (in_hand_bytes_ >= kResourceWindowBytes) {
    return Violation("link-4.7", absl::StrCat(in_hand_bytes_, " bytes of ", type_,
                                              " were not acknowledged yet"));
  }
  ++received_;
  in_hand_.push_back(ChangeBytes(frame.change));
  in_hand_bytes_ += in_hand_.back();
  if (frame.change.kind == Change::Kind::kSynced && synced_sequence_ == 0)
    synced_sequence_ = received_;
  return true;
}

absl::StatusOr<bool> ResourceReceiver::Done(const ResourceAck& frame) {
  if (frame.subscription_id != requested_id_ || !open_) return false;
  if (frame.sequence < done_ || frame.sequence > received_) {
    return absl::InvalidArgumentError(absl::StrCat("ResourceDone of ", type_, " up to ",
                                                   frame.sequence, " is outside ", done_, " to ",
                                                   received_));
  }
  for (const Rejection& rejection : frame.rejections) {
    if (rejection.sequence <= done_ || rejection.sequence > frame.sequence ||
        rejection.status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("rejection of ", type_, " ", rejection.sequence,
                       " is outside this ResourceDone or carries no error"));
    }
  }
  for (; done_ < frame.sequence; ++done_) {
    in_hand_bytes_ -= in_hand_.front();
    in_hand_.pop_front();
  }
  return true;
}

}  // namespace skerry::link
