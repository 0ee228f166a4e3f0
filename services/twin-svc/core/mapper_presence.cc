#include "services/twin-svc/core/mapper_presence.h"

#include <utility>

namespace skerry::twin {

void MapperPresence::Answered(absl::Duration now) {
  silent_since_.reset();
  silences_ = 0;
  deaf_ = false;
  if (state_ == State::kThere) return;
  if (std::exchange(state_, State::kComing) == State::kAway) there_since_.reset();
  if (!there_since_.has_value()) there_since_ = now;
  if (now - *there_since_ >= after_) state_ = State::kThere;
}

void MapperPresence::Silent(absl::Duration asked, absl::Duration now) {
  there_since_.reset();
  if (!silent_since_.has_value()) silent_since_ = asked;
  if (++silences_ < 2 || deaf_ || now - *silent_since_ < after_) return;
  state_ = State::kAway;
}

void MapperPresence::Reported() {
  silent_since_.reset();
  silences_ = 0;
  if (state_ != State::kAway) return;
  state_ = State::kComing;
  there_since_.reset();
  deaf_ = true;
}

void MapperPresence::Registered() {
  silent_since_.reset();
  silences_ = 0;
  deaf_ = false;
  state_ = State::kComing;
  there_since_.reset();
}

}  // namespace skerry::twin
