// What the box remembers of commands, so that none is executed twice.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_COMMAND_STORE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_COMMAND_STORE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/frames.h"

namespace skerry::edgehub {

struct CommandBounds {
  // How long a key is remembered after its command ended, by the time for which the store is open:
  // for as long as the cloud may send it again.
  absl::Duration key_retention = link::kCommandExpiryMax + link::kCommandDeadlineMax;
  absl::Duration outcome_retention = absl::Hours(24);  // How it ended, by the same time.
  int64_t records_max = 100000;                        // New commands are refused beyond.
  int64_t response_bytes_max = 16 << 20;               // The oldest responses are dropped beyond.
};

struct CommandStats {
  int64_t records = 0;
  int64_t response_bytes = 0;
};

// Rules link-10.1, link-10.6 and link-10.7. What returns well is on the disk. One thread at a time.
class CommandStore {
 public:
  virtual ~CommandStore() = default;

  // As link::edge::BeginCommand says. kRefused: INVALID_ARGUMENT / IDEMPOTENCY_KEY_REUSED where the
  // key is that of a command with other content, RESOURCE_EXHAUSTED / COMMAND_RECORDS_FULL, or
  // ABORTED / COMMAND_OUTCOME_UNKNOWN where the disk can't be used.
  virtual link::edge::CommandRecord Begin(const link::Command& command, bool may_start) = 0;
  struct Finished {
    int64_t responses_dropped = 0;  // Of earlier commands, for want of room.
  };
  // NOT_FOUND where there is no such record.
  virtual absl::StatusOr<Finished> Finish(absl::string_view key, const absl::Status& status,
                                          absl::string_view response) = 0;
  virtual absl::Status Forget(absl::string_view key) = 0;
  // With the response. As its status: OUT_OF_RANGE / COMMAND_RESPONSE_DROPPED where it ended well
  // and the response is gone; ABORTED / COMMAND_OUTCOME_UNKNOWN where only the key is kept.
  // kRefused where the disk can't be used.
  virtual link::edge::CommandRecord Read(absl::string_view key) = 0;

  // Forgets what is older than the bounds; how many keys. To be called now and then: a crash takes
  // back the ageing since the last call.
  virtual absl::StatusOr<int64_t> DropExpired() = 0;
  virtual CommandStats stats() const = 0;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_COMMAND_STORE_H_
