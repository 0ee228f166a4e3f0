// The box's end of commands, over all sessions: what is begun, who works on it, what the cloud
// waits for.
#ifndef SKERRY_SERVICES_LIB_LINK_COMMAND_RECEIVER_H_
#define SKERRY_SERVICES_LIB_LINK_COMMAND_RECEIVER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/command_events.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Rules link-10.2 to link-10.8. The truth of what was started and how it ended is on the box's
// disk; here is who works on what now. Payloads are passed on and responses are fetched when they
// go out: it holds neither. A part of EdgeSession: used by its thread.
class CommandReceiver {
 public:
  struct Offer {
    SpokeId spoke = 0;
    edge::CommandRequest request;
  };
  using Output = std::variant<CommandReceipt, CommandTakers, edge::BeginCommand,
                              edge::FinishCommand, edge::ForgetCommand, Offer>;

  // The session has begun, or ended.
  void Connected();
  void Disconnected();
  // A spoke takes these types from now on; former takers have been detached. RESOURCE_EXHAUSTED
  // where they are too many, with those of others.
  absl::Status Attached(SpokeId spoke, const std::vector<std::string>& types);
  void Detached(SpokeId spoke);
  SpokeId TakerOf(const std::string& type) const;

  // A violation where a rule is broken.
  absl::Status Receive(Command frame);
  void Begun(edge::CommandBegun event, absl::Duration now);
  void Finished(const edge::CommandFinished& event);
  // False where the spoke does not work on it (any more).
  bool Done(edge::CommandDone event);
  // Ends what has taken too long.
  void Tick(absl::Duration now);
  absl::Duration NextWake() const;

  // Commands whose outcome is to be read and sent; each once.
  bool HasDone() const { return !done_.empty(); }
  std::string NextDone();
  void Read(edge::CommandRead event);

  size_t executing() const { return works_.size(); }
  std::vector<Output> TakeOutput() { return std::exchange(output_, {}); }

 private:
  // Something that this process has begun and that has not ended yet.
  struct Work {
    enum class Phase { kBeginning, kExecuting, kFinishing };
    std::string type;
    bool reexecutable = false;
    Phase phase = Phase::kBeginning;
    SpokeId spoke = 0;
    absl::Duration deadline = absl::InfiniteDuration();
  };
  // What the cloud sent in this session and waits for.
  struct Open {
    std::string type;
    size_t bytes = 0;
    uint64_t begin = 0;  // Of its BeginCommand.
    bool started = false;
  };

  void Receipt(const std::string& key, CommandReceipt::Stage stage, absl::Status status = {},
               std::string response = "");
  void Finish(const std::string& key, Work& work, absl::Status status, std::string response);
  void StartedBefore(const Command& command);

  bool connected_ = false;
  std::map<std::string, SpokeId> takers_;  // By type.
  std::map<std::string, Work> works_;      // By key.
  std::map<std::string, Open> open_;       // By key.
  uint64_t last_begin_ = 0;
  std::deque<std::string> done_;  // Of open_: the outcome is on the disk.
  std::vector<Output> output_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_COMMAND_RECEIVER_H_
