// Makes one counted event of what happens again and again, and bounds what is said of one object.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_EVENT_CORRELATOR_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_EVENT_CORRELATOR_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/kube_event.h"
#include "services/edged-svc/core/lru_table.h"

namespace skerry::edged {

// An event as it goes to the cloud. A later record of an id replaces an earlier one.
struct EventRecord {
  std::string id;
  EventTarget about;
  EventType type = EventType::kNormal;
  std::string reason, message;
  absl::Time first, last;
  int64_t count = 0;
};

// The rules of the kubelet. What is the same in everything but its time counts up, until it has not
// happened for an hour (the API forgets it then). From the 11th message of one reason on, within
// ten minutes, messages are told as one event "(combined from similar events)". An object has 25
// records, and one more every five minutes; what is beyond counts, and is told with the next.
// Remembers 512 events and 256 objects. One thread.
class EventCorrelator {
 public:
  static constexpr absl::Duration kForget = absl::Hours(1);
  static constexpr size_t kMessagesMax = 10;
  static constexpr absl::Duration kCombineWithin = absl::Minutes(10);
  static constexpr double kBurst = 25;
  static constexpr absl::Duration kRefill = absl::Minutes(5);
  static constexpr size_t kMessageBytesMax = 1024;  // Kubernetes' own bound.

  // `instance`: different in every process of a box's life; ids begin with it.
  explicit EventCorrelator(std::string instance) : instance_(std::move(instance)) {}

  // now: the wall clock's; at: the monotonic clock's. nullopt: not to be told now.
  std::optional<EventRecord> Observe(const EventTarget& about, EventType type,
                                     absl::string_view reason, absl::string_view message,
                                     absl::Time now, absl::Duration at);

 private:
  struct Seen {
    EventRecord record;
    absl::Duration at;
  };
  struct Similar {
    std::set<size_t> messages;  // Their hashes.
    absl::Duration at;
  };
  struct Bucket {
    double tokens = kBurst;
    std::optional<absl::Duration> at;
  };
  bool IsCombined(const std::string& group, const std::string& message, absl::Duration at);
  bool TakeToken(const EventTarget& about, absl::Duration at);

  const std::string instance_;
  uint64_t last_number_ = 0;
  LruTable<Seen> seen_{512};
  LruTable<Similar> similar_{256};
  LruTable<Bucket> buckets_{256};
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_EVENT_CORRELATOR_H_
