// Where messages of boxes wait until they were posted, and where those stay that never could be.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_STORE_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::router {

// A message for one rule.
struct NewMessage {
  std::string rule;  // "namespace/name".
  std::string rule_uid;
  std::string key;  // Names it for ever: who gets it twice can tell.
  std::string node;
  std::string source;  // MQTT topic, or target URL.
  std::string content_type;
  std::string payload;
};

// One event of a node's stream, with what it is to its rules; with none it is dealt with all the
// same.
struct NewEvent {
  uint64_t sequence = 0;
  std::vector<NewMessage> messages;
};

struct Message : NewMessage {
  int64_t id = 0;  // Greater for a later one; never given twice.
  absl::Time receive_time;
};

struct DeadLetter : Message {
  std::string error;
  absl::Time dead_time;
};

// Of a node and stream; sequences count within a store of the box (ADR 16).
struct EventSource {
  std::string node;
  std::string stream;
  std::string store_id;
};

struct Accepted {
  std::map<std::string, int64_t> waiting;  // New messages by rule.
  std::map<std::string, int64_t>
      overflowed;        // By rule: more than its bound wait, so they are dead letters at once.
  int64_t repeated = 0;  // Events that were here before.
  int64_t letters_dropped = 0;  // The oldest dead letters, for room.
};

struct MessageStats {
  int64_t waiting = 0;
  int64_t waiting_bytes = 0;
  int64_t rule_waiting_bytes = 0;  // Of the rule that has most.
  int64_t letters = 0;
  int64_t letter_bytes = 0;
  int64_t store_bytes = 0;  // Of the file; 0 where it has no bound of ours.
};

// Whatever returned OK survives a crash of the process and a loss of power. Any thread may call it.
class MessageStore {
 public:
  virtual ~MessageStore() = default;

  // The events above the last one of the source, in one transaction with that place: each is stored
  // once. RESOURCE_EXHAUSTED / DATABASE_FULL: nothing was.
  virtual absl::StatusOr<Accepted> Accept(const EventSource& source,
                                          const std::vector<NewEvent>& events, absl::Time now) = 0;

  // The first that wait, in order.
  virtual absl::StatusOr<std::vector<Message>> Waiting(const std::string& rule,
                                                       size_t count_max) = 0;
  // Rules that have some.
  virtual std::vector<std::string> RulesWaiting() = 0;
  virtual absl::Status Remove(const std::vector<int64_t>& ids) = 0;
  // It waits no more, and is the latest dead letter, with another id. How many of the oldest dead
  // letters were dropped for room.
  virtual absl::StatusOr<int64_t> Bury(int64_t id, absl::string_view error, absl::Time now) = 0;

  // With greater ids than `after`, of the rule or (empty) of all.
  virtual absl::StatusOr<std::vector<DeadLetter>> Letters(const std::string& rule, int64_t after,
                                                          size_t count_max) = 0;
  // It waits again, behind all others of its rule, as if it had just come. Its rule; NOT_FOUND /
  // DEAD_LETTER_UNKNOWN; RESOURCE_EXHAUSTED / RULE_QUEUE_FULL.
  virtual absl::StatusOr<std::string> Replay(int64_t id, absl::Time now) = 0;
  virtual absl::Status Drop(int64_t id) = 0;

  virtual MessageStats stats() = 0;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_STORE_H_
