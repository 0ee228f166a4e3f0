// What goes into and comes out of the session machines for commands.
#ifndef SKERRY_SERVICES_LIB_LINK_COMMAND_EVENTS_H_
#define SKERRY_SERVICES_LIB_LINK_COMMAND_EVENTS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

namespace cloud {

// Events.

// There is a command for the node. A key that is queued already is left as it is.
struct QueueCommand {
  std::string key;
  std::string type;
  size_t payload_bytes_max = 0;  // It has no more.
  bool now = false;              // Where its type has no taker, it is not to wait for one.
  bool ask = false;              // It was sent before: the box may know it.
};
// Answers CommandDue.
struct SendCommand {
  Command command;
};
// The hub has nothing more to do with it.
struct DropCommand {
  std::string key;
};

// Effects.

// It may go out now: answer with SendCommand or DropCommand.
struct CommandDue {
  std::string key;
};
// A receipt of the box; or RETURNED for one that never went out and does not wait.
struct CommandReceived {
  CommandReceipt receipt;
};

}  // namespace cloud

namespace edge {

// What the box's disk says of a command.
struct CommandRecord {
  enum class State {
    kAbsent,
    kBegun,    // Started, by this call.
    kStarted,  // Started before, and its end is not known.
    kDone,
    kRefused,  // `status` says why; nothing was changed.
  };
  State state = State::kAbsent;
  absl::Status status = {};   // Of kDone and kRefused.
  std::string response = {};  // Of kDone; only from ReadCommand.
};

// Events.

// Answers BeginCommand.
struct CommandBegun {
  Command command;
  bool may_start = false;  // As it was asked.
  uint64_t begin = 0;      // Of BeginCommand.
  CommandRecord record;
};
// Answers FinishCommand. OK: the outcome is durable.
struct CommandFinished {
  std::string key;
  absl::Status stored;
};
// Answers ReadCommand of this connection.
struct CommandRead {
  uint64_t connection = 0;
  std::string key;
  CommandRecord record;
};
// The taker is done with a command.
struct CommandDone {
  uint64_t spoke = 0;
  std::string key;
  absl::Status status;
  std::string response;
};

// Effects.

// Look the command up. With `may_start`: where there is no record of it, or one of a start and it
// is re-executable, record its start, durably (kBegun).
struct BeginCommand {
  Command command;
  bool may_start = false;
  uint64_t begin = 0;  // Its number: a command can come again before the answer is here.
};
// Record how it ended, durably.
struct FinishCommand {
  std::string key;
  absl::Status status;
  std::string response;
};
// It was begun, and offered to nobody: forget that.
struct ForgetCommand {
  std::string key;
};
struct ReadCommand {
  uint64_t connection = 0;
  std::string key;
};
// To the taker: execute it and answer with CommandDone, within `deadline`.
struct CommandRequest {
  std::string key;
  std::string type;
  std::string payload;
  absl::Duration deadline;
};

}  // namespace edge

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_COMMAND_EVENTS_H_
