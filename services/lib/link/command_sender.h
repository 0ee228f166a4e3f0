// Cloud end of the commands of one session: what waits for its taker, what the box has.
#ifndef SKERRY_SERVICES_LIB_LINK_COMMAND_SENDER_H_
#define SKERRY_SERVICES_LIB_LINK_COMMAND_SENDER_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-10.2 to link-10.5. It holds no payloads: a command that may go out is asked for
// (cloud::CommandDue). Commands of a type go out in the order in which they were queued; a type
// without a taker, or with as many commands as it may have, holds up no other. A part of
// CloudSession: used by its thread.
class CommandSender {
 public:
  using Output = std::variant<Command, CommandReceipt, cloud::CommandDue>;

  void Queue(cloud::QueueCommand command);
  // Nothing happens where it is not due (any more).
  void Send(Command command);
  // The hub is done with it. One that the box has stays known, so that its receipts are no
  // violation.
  void Drop(const std::string& key);

  // A violation where a rule is broken.
  absl::Status Receive(CommandReceipt frame);
  void Receive(const CommandTakers& frame);

  std::vector<Output> TakeOutput() { return std::exchange(output_, {}); }

 private:
  enum class Phase { kWaiting, kDue, kSent, kDelivered, kStarted };
  struct Entry {
    std::string key;
    std::string type;
    size_t bytes = 0;
    bool now = false;  // Without a taker it comes back at once.
    bool ask = false;  // The box may know it: it goes out without a taker, too.
    bool dropped = false;
    std::optional<cloud::QueueCommand> next = {};  // Where it is dropped: its key is queued again.
    Phase phase = Phase::kWaiting;
  };
  using Entries = std::map<uint64_t, Entry>;

  Entries::iterator Find(const std::string& key);
  void Erase(Entries::iterator it);
  // Nothing of it is at the box any more.
  void Returned(Entries::iterator it, CommandReceipt receipt);
  // Something that was due is due no more. While others still are, nothing else becomes due: it
  // would be asked for, and go out, before them.
  void Answered();
  void Pump();
  bool HasRoom(const std::string& type) const;

  Entries entries_;  // In the order of Queue.
  std::map<std::string, uint64_t> by_key_;
  uint64_t last_ = 0;
  std::set<std::string> takers_;
  std::vector<Output> output_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_COMMAND_SENDER_H_
