// Edge end of the subscription of one type: checks the order of what comes, and of what is acked.
#ifndef SKERRY_SERVICES_LIB_LINK_RESOURCE_RECEIVER_H_
#define SKERRY_SERVICES_LIB_LINK_RESOURCE_RECEIVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-4.6 to link-4.9 and link-4.12 at the edge. A part of EdgeSession: used by its thread.
class ResourceReceiver {
 public:
  explicit ResourceReceiver(absl::string_view type) : type_(type) {}

  // Asks the spoke for a subscription of this id; what comes for an earlier one is stale from now
  // on.
  void Request(uint64_t subscription_id);
  // The link is gone, or the spoke: nothing is subscribed.
  void Close();

  // The spoke's answer. INVALID_ARGUMENT where it is not one; false where it answers an earlier
  // request.
  absl::StatusOr<bool> Subscribed(const Subscribe& frame);
  // A frame of the cloud. A violation where it breaks the order or the window; false where it is
  // stale.
  absl::StatusOr<bool> Receive(const ResourceChange& frame);
  // The spoke stored. INVALID_ARGUMENT where it names what it didn't get; false where it is stale.
  absl::StatusOr<bool> Done(const ResourceAck& frame);

  // What the spoke was asked for; 0 while nothing is subscribed.
  uint64_t requested_id() const { return requested_id_; }
  // True from the first Subscribe that went to the cloud on.
  bool open() const { return open_; }
  bool synced() const { return synced_sequence_ != 0 && done_ >= synced_sequence_; }
  uint64_t last_sequence() const { return done_; }

 private:
  const std::string type_;
  uint64_t requested_id_ = 0;
  bool open_ = false;
  bool more_ = false;
  uint64_t received_ = 0;
  uint64_t done_ = 0;
  uint64_t synced_sequence_ = 0;
  std::deque<size_t> in_hand_;  // Bytes of done_ + 1, done_ + 2, …
  size_t in_hand_bytes_ = 0;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_RESOURCE_RECEIVER_H_
