#include "services/lib/link/command_tracker.h"

#include <algorithm>

#include "services/lib/base/error.h"

namespace skerry::link {

CommandTracker::Update CommandTracker::Reached(CommandStage stage) {
  // What is sent again reaches the earlier stages again: that is no news.
  if (IsFinal(progress_.stage) || stage <= progress_.stage) return std::nullopt;
  progress_.stage = stage;
  progress_.status = absl::OkStatus();
  return progress_;
}

CommandTracker::Update CommandTracker::End(CommandStage stage, absl::Status status,
                                           std::string response) {
  if (IsFinal(progress_.stage)) return std::nullopt;
  progress_.stage = stage;
  progress_.status = std::move(status);
  progress_.response = std::move(response);
  return progress_;
}

CommandTracker::Update CommandTracker::Sending() {
  progress_.at_box = true;
  return Reached(CommandStage::kSent);
}

CommandTracker::Update CommandTracker::Receive(CommandReceipt receipt) {
  switch (receipt.stage) {
    case CommandReceipt::Stage::kDelivered:
      progress_.at_box = true;
      return Reached(CommandStage::kDelivered);
    case CommandReceipt::Stage::kStarted:
      progress_.started = true;
      return Reached(CommandStage::kStarted);
    case CommandReceipt::Stage::kReturned:
      if (IsFinal(progress_.stage)) return std::nullopt;
      // One that is re-executable may have been executed in part.
      progress_.at_box = progress_.started;
      if (terms_.now) return End(CommandStage::kDone, std::move(receipt.status));
      progress_.stage = CommandStage::kAccepted;
      progress_.status = std::move(receipt.status);
      return progress_;
    case CommandReceipt::Stage::kDone:
      if (GetErrorInfo(receipt.status).reason == "COMMAND_EXPIRED") {
        if (!progress_.started) return End(CommandStage::kExpired, std::move(receipt.status));
        // The box has lost its record.
        return End(CommandStage::kDone, EndOf(true).status);
      }
      return End(CommandStage::kDone, std::move(receipt.status), std::move(receipt.response));
  }
  return std::nullopt;
}

absl::StatusOr<CommandTracker::Update> CommandTracker::Cancel() {
  if (progress_.at_box || IsFinal(progress_.stage)) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 IsFinal(progress_.stage) ? "the command has ended"
                                          : "the command was sent: the node may have it")
        .Reason(IsFinal(progress_.stage) ? "COMMAND_ENDED" : "COMMAND_SENT");
  }
  return End(CommandStage::kCancelled, absl::CancelledError("cancelled before it was sent"));
}

absl::Duration CommandTracker::ExpireIn(absl::Duration now) const {
  return std::max(absl::ZeroDuration(), terms_.expire_at - now);
}

absl::Duration CommandTracker::NextWake() const {
  if (IsFinal(progress_.stage)) return absl::InfiniteDuration();
  return progress_.at_box ? terms_.expire_at + terms_.deadline : terms_.expire_at;
}

CommandProgress CommandTracker::EndOf(bool at_box) {
  CommandProgress progress;
  progress.at_box = at_box;
  if (at_box) {
    progress.stage = CommandStage::kDone;
    progress.status = Error(absl::StatusCode::kDeadlineExceeded,
                            "it was sent to the node, which did not say in time how it ended")
                          .Reason("COMMAND_OUTCOME_UNKNOWN");
  } else {
    progress.stage = CommandStage::kExpired;
    progress.status =
        Error(absl::StatusCode::kDeadlineExceeded, "the node could not take it in time")
            .Reason("COMMAND_EXPIRED");
  }
  return progress;
}

CommandTracker::Update CommandTracker::Tick(absl::Duration now) {
  if (now < NextWake()) return std::nullopt;
  CommandProgress end = EndOf(progress_.at_box);
  return End(end.stage, std::move(end.status));
}

}  // namespace skerry::link
