#include "services/lib/link/event_receiver.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::link {

absl::Status EventReceiver::Receive(std::vector<StreamEvent> events) {
  for (StreamEvent& event : events) {
    // What lies between is named as dropped; some of it may have been sent before it was. The first
    // event of a session follows on what former sessions brought: no hub remembers that.
    const bool gap = event.dropped_before >= event.sequence ||
                     (received_ != 0 && event.sequence - 1 - event.dropped_before > received_);
    if (event.sequence <= received_ || gap) {
      return Violation("link-9.2",
                       absl::StrCat("event ", event.sequence, " of ", stream_, " after ", received_,
                                    " with ", event.dropped_before, " dropped between"));
    }
    if (events_.size() >= kEventWindowCount || bytes_ >= kEventWindowBytes) {
      return Violation("link-9.3", absl::StrCat("more than ", events_.size(), " events or ", bytes_,
                                                " bytes of ", stream_, " in flight"));
    }
    received_ = event.sequence;
    bytes_ += EventBytes(event);
    events_.push_back(std::move(event));
  }
  return absl::OkStatus();
}

std::vector<StreamEvent> EventReceiver::TakeForOwner() {
  std::vector<StreamEvent> events(events_.begin() + static_cast<std::ptrdiff_t>(handed_),
                                  events_.end());
  handed_ = events_.size();
  return events;
}

bool EventReceiver::Done(uint64_t sequence) {
  if (handed_ == 0 || sequence < events_.front().sequence ||
      sequence > events_[handed_ - 1].sequence) {
    return false;
  }
  while (!events_.empty() && events_.front().sequence <= sequence) {
    bytes_ -= EventBytes(events_.front());
    events_.pop_front();
    --handed_;
  }
  return true;
}

}  // namespace skerry::link
