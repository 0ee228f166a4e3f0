#include "services/device-controller-svc/service/core/command_course.h"

#include <algorithm>
#include <string>

#include "services/lib/base/error.h"

namespace skerry::devicecontroller {
namespace {

constexpr char kNotConnected[] = "NODE_NOT_CONNECTED";

absl::Status Unreachable() {
  return Error(absl::StatusCode::kUnavailable,
               "no hub that can be reached has the node, and not all can be reached: try again, "
               "with the same id")
      .Reason("HUB_UNREACHABLE");
}

absl::Status OutcomeUnknown() {
  return Error(absl::StatusCode::kUnavailable,
               "the call was accepted, and how it ended is not known in time: ask again, with the "
               "same id")
      .Reason("METHOD_OUTCOME_UNKNOWN");
}

}  // namespace

CommandCourse::CommandCourse(Kind kind, size_t hubs, size_t first)
    : kind_(kind), first_(hubs == 0 ? 0 : first % hubs), hubs_(hubs, State::kIdle) {}

bool CommandCourse::IsLoss(const absl::Status& status) {
  const std::string reason = GetErrorInfo(status).reason;
  if (!reason.empty()) return reason == "DRAINING";
  switch (status.code()) {
    case absl::StatusCode::kOk:  // It ended without an end of the command.
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnknown:
      return true;
    default:
      return false;
  }
}

CommandCourse::Step CommandCourse::Begin() {
  if (hubs_.empty()) return {.answer = Answer{.error = Unreachable()}};
  if (kind_ == Kind::kQueue) return AskNext(first_);
  return AskAgain();
}

CommandCourse::Step CommandCourse::Told(size_t hub, CommandStage stage) {
  told_ = hub;
  lost_in_turn_ = 0;
  switch (stage) {
    case CommandStage::kWaiting:
    case CommandStage::kUnderWay:
      hubs_[hub] = State::kHas;
      if (kind_ == Kind::kQueue && waited_) return {.answer = Answer{.hub = hub}};
      return {};
    case CommandStage::kEnded:
      hubs_[hub] = State::kIdle;
      return {.answer = Answer{.hub = hub}};
    case CommandStage::kNotExecuted:
      hubs_[hub] = State::kNotExecuted;
      // At another hub it may be under way.
      return Asks() || again_ ? Step{} : Result();
  }
  return {};
}

CommandCourse::Step CommandCourse::Closed(size_t hub, const absl::Status& status) {
  const State before = hubs_[hub];
  if (before != State::kAsked && before != State::kHas) return {};
  const bool loss = IsLoss(status);
  hubs_[hub] = loss ? State::kLost : State::kRefused;
  if (kind_ == Kind::kQueue) {
    if (!loss) return {.answer = Answer{.error = status}};
    Step step = AskNext((hub + 1) % hubs_.size());
    step.later = ++lost_in_turn_ >= hubs_.size();
    return step;
  }
  if (loss && before == State::kHas) again_ = true;
  if (again_) {
    // What is to be asked again waits for what still asks, so that there is one round at a time.
    const bool asking = std::count(hubs_.begin(), hubs_.end(), State::kAsked) > 0;
    if (asking) return {};
    Step step = AskAgain();
    step.later = true;
    return step;
  }
  const bool says_more = refusal_.ok() || GetErrorInfo(refusal_).reason == kNotConnected;
  if (!loss && says_more) refusal_ = status;
  return Asks() ? Step{} : Result();
}

CommandCourse::Step CommandCourse::Grow(size_t more) {
  Step step;
  for (size_t i = 0; i < more; ++i) {
    hubs_.push_back(kind_ == Kind::kQueue ? State::kIdle : State::kAsked);
    if (kind_ != Kind::kQueue) step.ask.push_back(hubs_.size() - 1);
  }
  return step;
}

CommandCourse::Step CommandCourse::EndOfWait() {
  waited_ = true;
  if (kind_ == Kind::kQueue && told_.has_value()) return {.answer = Answer{.hub = *told_}};
  return {};
}

CommandCourse::Step CommandCourse::EndOfPatience() {
  if (!told_.has_value()) return {.answer = Answer{.error = Unreachable()}};
  // What is queued stays so.
  if (kind_ == Kind::kQueue) return {.answer = Answer{.hub = *told_}};
  return {.answer = Answer{.error = OutcomeUnknown()}};
}

std::vector<size_t> CommandCourse::Open() const {
  std::vector<size_t> open;
  for (size_t i = 0; i < hubs_.size(); ++i) {
    const bool may_have = kind_ == Kind::kWait && hubs_[i] == State::kAsked;
    if (hubs_[i] == State::kHas || may_have) open.push_back(i);
  }
  return open;
}

CommandCourse::Step CommandCourse::AskNext(size_t hub) {
  hubs_[hub] = State::kAsked;
  return {.ask = {hub}};
}

// Those that do not have it and are not being asked. One that ended it would begin it anew.
CommandCourse::Step CommandCourse::AskAgain() {
  Step step;
  for (size_t i = 0; i < hubs_.size(); ++i) {
    if (hubs_[i] == State::kHas || hubs_[i] == State::kAsked || hubs_[i] == State::kNotExecuted)
      continue;
    hubs_[i] = State::kAsked;
    step.ask.push_back(i);
  }
  return step;
}

bool CommandCourse::Asks() const {
  return std::any_of(hubs_.begin(), hubs_.end(),
                     [](State s) { return s == State::kAsked || s == State::kHas; });
}

// No hub has it, or will.
CommandCourse::Step CommandCourse::Result() const {
  const auto ended = std::find(hubs_.begin(), hubs_.end(), State::kNotExecuted);
  if (ended != hubs_.end()) {
    return {.answer = Answer{.hub = static_cast<size_t>(ended - hubs_.begin())}};
  }
  const bool all_said = std::count(hubs_.begin(), hubs_.end(), State::kLost) == 0;
  const bool decides = !refusal_.ok() && GetErrorInfo(refusal_).reason != kNotConnected;
  return {.answer = Answer{.error = all_said || decides ? refusal_ : Unreachable()}};
}

}  // namespace skerry::devicecontroller
