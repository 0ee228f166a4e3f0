#include "services/mappers/lib/core/registration.h"

namespace skerry::mapper {
namespace {

constexpr absl::Duration kRetryMin = absl::Milliseconds(200);
constexpr absl::Duration kRetryMax = absl::Seconds(15);
constexpr absl::Duration kHealthTimeout = absl::Seconds(10);

}  // namespace

Registration::Registration(absl::Duration now, uint64_t seed)
    : wake_(now), backoff_(kRetryMin, kRetryMax, seed) {}

Registration::Result Registration::Step(absl::Duration now) {
  if (now < wake_) return {};
  if (state_ == State::kWatching) return Retry(now);  // It took the watch and says nothing.
  if (state_ != State::kWaiting) return {};
  ++attempt_;
  state_ = State::kWatching;
  wake_ = now + kHealthTimeout;
  return {.action = Action::kWatch};
}

Registration::Result Registration::OnHealth(uint64_t attempt, bool serving, absl::Duration now) {
  if (attempt != attempt_ || state_ != State::kWatching) return {};
  if (serving) return Register();
  wake_ = absl::InfiniteDuration();  // It starts; the stream tells when it has.
  return {};
}

Registration::Result Registration::OnWatchEnded(uint64_t attempt, const absl::Status& status,
                                                absl::Duration now) {
  if (attempt != attempt_ || state_ == State::kWaiting) return {};
  if (status.code() == absl::StatusCode::kUnimplemented) {
    return state_ == State::kWatching ? Register() : Result();
  }
  return Retry(now);
}

Registration::Result Registration::OnRegistered(uint64_t attempt, const absl::Status& status,
                                                absl::Duration now) {
  if (attempt != attempt_ || state_ != State::kRegistering) return {};
  if (!status.ok()) return Retry(now);
  state_ = State::kUp;
  backoff_.Reset();
  return {};
}

Registration::Result Registration::OnCallFailed(absl::Duration now) {
  return state_ == State::kUp ? Retry(now) : Result();
}

Registration::Result Registration::Register() {
  state_ = State::kRegistering;
  wake_ = absl::InfiniteDuration();  // The call has a deadline.
  return {.action = Action::kRegister};
}

Registration::Result Registration::Retry(absl::Duration now) {
  state_ = State::kWaiting;
  wake_ = now + kRetryMin / 2 + backoff_.Next();
  return {.end_watch = true};
}

}  // namespace skerry::mapper
