// Whether a mapper is there, from questions that it answers or not, and from what it says itself.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_PRESENCE_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_PRESENCE_H_

#include <optional>

#include "absl/time/time.h"

namespace skerry::twin {

// Pure; one thread at a time. Times are monotonic.
class MapperPresence {
 public:
  enum class State {
    kComing,  // It may not have had the time to say how its devices are. So it begins.
    kThere,   // It has been there for `after`.
    kAway,    // It has been silent for `after`.
  };

  // `after` > 0: so long it is to be silent, or there, for that to count.
  explicit MapperPresence(absl::Duration after) : after_(after) {}

  // It has answered a question, with whatever.
  void Answered(absl::Duration now);
  // It has not answered one that was asked at `asked`. One alone never shows that it is away: this
  // process may have stood still.
  void Silent(absl::Duration asked, absl::Duration now);
  // It has reported something. One that was away and reports without answering is not away again
  // before it has answered: its devices would go up and down with each report.
  void Reported();
  // It was (re)started.
  void Registered();

  State state() const { return state_; }

 private:
  const absl::Duration after_;
  State state_ = State::kComing;
  std::optional<absl::Duration> there_since_;   // While kComing: that it answers each question.
  std::optional<absl::Duration> silent_since_;  // None: the last question was answered.
  int silences_ = 0;                            // Since then.
  bool deaf_ = false;                           // It reports, and does not answer.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_PRESENCE_H_
