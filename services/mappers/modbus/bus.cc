#include "services/mappers/modbus/bus.h"

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/mappers/modbus/core/line_policy.h"
#include "services/mappers/modbus/modbus_errors.h"

namespace skerry::mapper::modbus {

absl::StatusOr<int> Bus::Run(const Call& call, Request request) {
  const absl::Duration deadline = clock_.Monotonic() + call.patience;
  while (true) {
    const absl::Duration late = std::min(LateFor(call.slave), deadline - clock_.Monotonic());
    if (late > absl::ZeroDuration()) absl::SleepFor(late);
    const absl::Duration spare = deadline - clock_.Monotonic() - call.timeout;
    if (!turns_.Enter(std::max(spare, absl::ZeroDuration()))) return Busy();
    // Who had the turn before may have spoken to the same slave.
    if (LateFor(call.slave) <= absl::ZeroDuration() || clock_.Monotonic() >= deadline) break;
    turns_.Leave();
  }
  const auto leave = absl::MakeCleanup([this] { turns_.Leave(); });
  return RunInTurn(call, deadline, request);
}

absl::Status Bus::Busy() const {
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat(NameOf(line_),
                            " is busy with other devices: read them less often, "
                            "or shorten their timeout"))
      .Reason("BUS_BUSY")
      .Meta("line", NameOf(line_));
}

absl::StatusOr<int> Bus::RunInTurn(const Call& call, absl::Duration deadline, Request request) {
  for (int retries_left = call.retries;;) {
    const bool opens = port_ == nullptr;
    if (opens) {
      SKERRY_ASSIGN_OR_RETURN(port_, Port::Open(line_, deadline - clock_.Monotonic()));
    }
    AwaitSilence();
    const absl::Duration timeout = std::min(call.timeout, deadline - clock_.Monotonic());
    const int error = timeout > absl::ZeroDuration() ? request(*port_, timeout) : ETIMEDOUT;
    last_request_ = clock_.Monotonic();
    const Fault fault = FaultOf(error);
    if (fault == Fault::kSilent || fault == Fault::kGarbled) ExpectLateAnswers(call);
    const Decision decision = Decide({.serial = line_.serial,
                                      .fault = fault,
                                      .retries_left = retries_left,
                                      .opened_now = opens});
    if (decision.close) port_.reset();
    if (!decision.again || last_request_ >= deadline) return error;
    if (fault != Fault::kLost) --retries_left;
  }
}

void Bus::ExpectLateAnswers(const Call& call) {
  if (!line_.serial) return;
  if (!line_.serial) return;
  absl::MutexLock lock(&mutex_);
  late_until_[call.slave] = last_request_ + call.timeout;
}

absl::Duration Bus::LateFor(int slave) {
  absl::MutexLock lock(&mutex_);
  const auto it = late_until_.find(slave);
  return it == late_until_.end() ? absl::ZeroDuration() : it->second - clock_.Monotonic();
}

void Bus::AwaitSilence() {
  const absl::Duration rest = last_request_ + SilenceOf(line_) - clock_.Monotonic();
  if (rest > absl::ZeroDuration()) absl::SleepFor(rest);
}

}  // namespace skerry::mapper::modbus
