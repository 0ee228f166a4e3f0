// How long the cloud takes to apply what goes up.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_HUB_ROUND_TRIP_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_HUB_ROUND_TRIP_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edgehub {

// Measures one report at a time, so that it has no state for each that is under way. Used by one
// thread; times are monotonic.
class RoundTrip {
 public:
  // The type's reports up to `sequence` go now. No matter while another is measured.
  void Sent(absl::string_view type, uint64_t sequence, absl::Duration now) {
    if (sequence_ == 0) {
      type_ = std::string(type);
      sequence_ = sequence;
      sent_ = now;
    }
  }
  // The cloud has applied the type's reports up to `up_to`: how long it took, if that is the one.
  std::optional<absl::Duration> Applied(absl::string_view type, uint64_t up_to,
                                        absl::Duration now) {
    if (sequence_ == 0 || type != type_ || up_to < sequence_) return std::nullopt;
    sequence_ = 0;
    return now - sent_;
  }
  // The session is over: what is under way goes again.
  void Abandon() { sequence_ = 0; }

 private:
  std::string type_;
  uint64_t sequence_ = 0;  // 0: none is measured.
  absl::Duration sent_;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_HUB_ROUND_TRIP_H_
