// One command's life in the cloud: from its acceptance to its one final receipt.
#ifndef SKERRY_SERVICES_LIB_LINK_COMMAND_TRACKER_H_
#define SKERRY_SERVICES_LIB_LINK_COMMAND_TRACKER_H_

#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// Where a command is. What is below kDone in the list goes on.
enum class CommandStage { kAccepted, kSent, kDelivered, kStarted, kDone, kExpired, kCancelled };
inline bool IsFinal(CommandStage stage) { return stage >= CommandStage::kDone; }

// What is remembered of a command over restarts of the hub, and told to its sender.
struct CommandProgress {
  CommandStage stage = CommandStage::kAccepted;
  bool at_box = false;   // The box may have it.
  bool started = false;  // It was started at least once.
  absl::Status status;   // How it ended, or why it waits again.
  std::string response;
};
// It has ended, and was not executed: nothing of it is at the box.
inline bool EndedUnstarted(const CommandProgress& progress) {
  return progress.stage > CommandStage::kDone ||
         (progress.stage == CommandStage::kDone && !progress.at_box);
}

// Rules link-10.9 to link-10.11, over all sessions. Times are monotonic. Each call returns what the
// sender is to hear, where that is new. One thread at a time.
class CommandTracker {
 public:
  struct Terms {
    bool now = false;  // It does not wait for a taker.
    bool reexecutable = false;
    absl::Duration expire_at;
    absl::Duration deadline;
  };
  using Update = std::optional<CommandProgress>;

  CommandTracker(const Terms& terms, CommandProgress progress)
      : terms_(terms), progress_(std::move(progress)) {}

  // It is about to be sent. To be remembered before it is.
  Update Sending();
  Update Receive(CommandReceipt receipt);
  // FAILED_PRECONDITION / COMMAND_SENT where the box may have it.
  absl::StatusOr<Update> Cancel();
  Update Tick(absl::Duration now);
  // A Tick is due at this time.
  absl::Duration NextWake() const;

  // How a command ends that nobody has ended in time.
  static CommandProgress EndOf(bool at_box);

  absl::Duration ExpireIn(absl::Duration now) const;
  const Terms& terms() const { return terms_; }
  const CommandProgress& progress() const { return progress_; }

 private:
  Update Reached(CommandStage stage);
  Update End(CommandStage stage, absl::Status status, std::string response = "");

  Terms terms_;
  CommandProgress progress_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_COMMAND_TRACKER_H_
