// Cloud end of one stream of events: what waits for its owner, what the owner works on.
#ifndef SKERRY_SERVICES_LIB_LINK_EVENT_RECEIVER_H_
#define SKERRY_SERVICES_LIB_LINK_EVENT_RECEIVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-9.2 to link-9.5. Events stay here, in order, until the owner is done with them, so
// that a new owner gets them again. A part of CloudSession: used by its thread.
class EventReceiver {
 public:
  explicit EventReceiver(absl::string_view stream) : stream_(stream) {}

  // A violation where a sequence is out of place or the window is exceeded.
  absl::Status Receive(std::vector<StreamEvent> events);
  // Events to hand to the owner now, in order; each once per owner.
  std::vector<StreamEvent> TakeForOwner();
  // There is a new owner, or none: everything not done is to be handed over again.
  void OwnerLost() { handed_ = 0; }
  // The owner is done with everything up to `sequence`. False if that is not with it.
  bool Done(uint64_t sequence);

 private:
  const std::string stream_;
  std::deque<StreamEvent> events_;
  size_t handed_ = 0;  // Of events_, from the front: with the owner.
  size_t bytes_ = 0;
  uint64_t received_ = 0;  // The last sequence; 0 before the first event of the session.
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_EVENT_RECEIVER_H_
