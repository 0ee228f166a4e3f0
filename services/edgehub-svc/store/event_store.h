// Where events wait, durably and in order, until the cloud has applied them.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_EVENT_STORE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_EVENT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/link/frames.h"

namespace skerry::edgehub {

// What becomes of a new event for which its stream has no room.
enum class WhenFull {
  kDropOldest,  // The oldest make room; the next one in the journal tells how many.
  kRefuse,      // RESOURCE_EXHAUSTED / STREAM_FULL: its producer keeps it.
};

struct EventStream {
  std::string name;
  link::EventPriority priority = link::EventPriority::kTelemetry;
  WhenFull when_full = WhenFull::kDropOldest;
};

struct EventBounds {
  int64_t stream_bytes_max = 32 << 20;            // Sum of link::EventBytes of one stream.
  absl::Duration age_max = absl::Hours(24 * 30);  // Of the time that the service runs.
};

struct NewEvent {
  std::string stream;
  // Who made it, and its number there: greater for every event of the producer in this stream. What
  // was stored before is not stored again. An empty producer makes no such promise.
  std::string producer;
  uint64_t producer_sequence = 0;
  absl::Time time;
  std::string key;
  std::string value;
};

struct StreamStats {
  link::EventPriority priority = link::EventPriority::kTelemetry;
  int64_t entries = 0;
  int64_t size_bytes = 0;
  uint64_t last_sequence = 0;                       // Ever given.
  absl::Time oldest_time = absl::InfiniteFuture();  // Now less the age of the oldest entry.
};

// Events age by the time for which the store is open, whatever the wall clock does. One thread at a
// time.
class EventStore {
 public:
  virtual ~EventStore() = default;

  // New with every new store: sequences count within it.
  virtual const std::string& id() const = 0;

  // Creates the stream, or changes how it is treated. At most link::kEventStreamsMax of them.
  virtual absl::Status Declare(const EventStream& stream) = 0;

  struct Appended {
    // One for each event, in order: its sequence, or 0 where it is a repeat, or why it can't be
    // stored (NOT_FOUND / STREAM_UNKNOWN, RESOURCE_EXHAUSTED / STREAM_FULL). What follows a refused
    // one of the same stream and producer is refused with it: nothing overtakes.
    std::vector<absl::StatusOr<uint64_t>> outcomes;
    std::map<std::string, int64_t> dropped;  // Events by stream that made room.
  };
  // Stores all in one commit. An error of the whole means that nothing was stored.
  virtual absl::StatusOr<Appended> Append(const std::vector<NewEvent>& events) = 0;

  struct Page {
    std::vector<link::StreamEvent> events;
    bool more = false;  // There are further ones.
  };
  // Events above `after`: at most `count_max`, and no further one once there are `bytes_max`.
  virtual absl::StatusOr<Page> Read(absl::string_view stream, uint64_t after, size_t count_max,
                                    size_t bytes_max) = 0;

  // Forgets the stream's events up to `up_to`: the cloud has them.
  virtual absl::Status Trim(absl::string_view stream, uint64_t up_to) = 0;
  // Drops what is older than the bound; how many of each stream. To be called now and then: a crash
  // takes back the ageing since the last call.
  virtual absl::StatusOr<std::map<std::string, int64_t>> DropExpired() = 0;

  virtual std::map<std::string, StreamStats> stats() const = 0;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_EVENT_STORE_H_
