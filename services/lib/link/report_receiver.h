// Cloud end of the reports of one type: what waits for its owner, what the owner works on, what may
// be acked.
#ifndef SKERRY_SERVICES_LIB_LINK_REPORT_RECEIVER_H_
#define SKERRY_SERVICES_LIB_LINK_REPORT_RECEIVER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-5.3 to link-5.9. Values stay here until the owner is done with them, so that a new
// owner gets them again. A part of CloudSession: used by its thread.
class ReportReceiver {
 public:
  explicit ReportReceiver(absl::string_view type) : type_(type) {}

  // A violation where the sequence goes back or the window is exceeded.
  absl::Status Receive(Report report);
  // Reports to hand to the owner now, in order; each once per owner.
  std::vector<Report> TakeForOwner();
  // There is a new owner, or none: of each key the newest value is to be handed over again, unless
  // it is done.
  void OwnerLost();
  // False if `sequence` is not with the owner.
  bool Done(uint64_t sequence, const absl::Status& status);
  // The ack that has become possible, once.
  std::optional<ReportAck> TakeAck();

  bool waiting() const { return !entries_.empty(); }

 private:
  enum class State { kWaiting, kWithOwner, kDone };
  struct Entry {
    Report report;
    State state = State::kWaiting;
    absl::Status status;
  };

  void Finish(Entry& entry);

  const std::string type_;
  std::map<uint64_t, Entry> entries_;  // By sequence; those above the ack.
  size_t bytes_ = 0;
  uint64_t received_ = 0;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_REPORT_RECEIVER_H_
