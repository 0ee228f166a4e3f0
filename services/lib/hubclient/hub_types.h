// What a spoke of edgehub-svc hands in and takes.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_HUB_TYPES_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_HUB_TYPES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace skerry::hubclient {

struct EventStream {
  enum class Priority { kAlarm, kTelemetry, kBulk };
  enum class WhenFull { kDropOldest, kRefuse };
  std::string name;
  Priority priority = Priority::kTelemetry;
  WhenFull when_full = WhenFull::kDropOldest;
};

struct Event {
  uint64_t producer_sequence = 0;  // Greater for every event of the producer, from 1 to 2^63 - 1.
  absl::Time time;                 // When it happened.
  std::string key;                 // At most 320 bytes.
  std::string value;               // At most 256 KiB.
};

// Of one stream and one producer, in order: 1 to 1,024 events, at most 1 MiB and one more event.
struct EventBatch {
  std::string stream;
  // Names the store of events that they are from, so that one that is put again is stored once. It
  // must be another where numbers may have been lost with a file.
  std::string producer;
  std::vector<Event> events;
};

// How a batch ended: that many from the first are stored. OK: all are. INVALID_ARGUMENT and the
// like: the next one is refused for good.
struct EventsPut {
  size_t stored = 0;
  absl::Status status;
};

struct Command {
  std::string key;  // The sender's idempotency key; unique on this node.
  std::string type;
  std::string payload;
  absl::Duration deadline;  // From its arrival. Later the sender is told DEADLINE_EXCEEDED.
};

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_HUB_TYPES_H_
