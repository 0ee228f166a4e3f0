// Which hubs are asked for a command, and what its sender is told.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_CORE_COMMAND_COURSE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_CORE_COMMAND_COURSE_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "absl/status/status.h"

namespace skerry::devicecontroller {

// How far a command is, as a hub says.
enum class CommandStage {
  kWaiting,
  kUnderWay,     // The node may have it.
  kEnded,        // It was executed, or nobody will know.
  kNotExecuted,  // Expired or cancelled.
};

// From the first question to the answer. A value.
class CommandCourse {
 public:
  enum class Kind {
    kNow,    // All hubs are asked: the one that has the node takes it.
    kWait,   // All hubs are asked, and keep it until one has the node.
    kQueue,  // One hub is asked, for all.
  };
  struct Answer {
    absl::Status error;  // OK: as `hub` said last.
    size_t hub = 0;
  };
  struct Step {
    std::vector<size_t> ask;  // Hubs to be asked, none of which is being asked.
    bool later = false;       // Not now, but after a back-off.
    std::optional<Answer> answer;
  };

  // `first`: where kQueue begins. Without hubs the answer is HUB_UNREACHABLE.
  CommandCourse(Kind kind, size_t hubs, size_t first);

  Step Begin();
  // What the hub that was asked says.
  Step Told(size_t hub, CommandStage stage);
  // It will say no more. Its refusal, or that it was lost (IsLoss).
  Step Closed(size_t hub, const absl::Status& status);
  // There are so many more hubs: of them the last ones.
  Step Grow(size_t more);
  // The sender of a queued command does not want to wait for more than that it is accepted.
  Step EndOfWait();
  // The sender waits no longer.
  Step EndOfPatience();

  // Hubs that have it, or may have it (kWait) though they have not said so yet, and have not said
  // that it ended.
  std::vector<size_t> Open() const;

  // Whether a call ended because of the way to the hub, or because that is going.
  static bool IsLoss(const absl::Status& status);

 private:
  enum class State { kIdle, kAsked, kHas, kNotExecuted, kRefused, kLost };

  Step AskNext(size_t hub);
  Step AskAgain();
  Step Result() const;
  bool Asks() const;

  const Kind kind_;
  const size_t first_;
  std::vector<State> hubs_;
  size_t lost_in_turn_ = 0;  // kQueue: hubs that were lost one after the other.
  bool again_ = false;       // A hub that had it was lost: it is found, or patience ends.
  bool waited_ = false;
  std::optional<size_t> told_;  // Who said something last.
  absl::Status refusal_;        // The one that says most.
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_CORE_COMMAND_COURSE_H_
