#include "services/lib/link/command_receiver.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::link {
namespace {

absl::Status TakerLost() {
  return Error(absl::StatusCode::kUnavailable, "the command's taker is gone")
      .Reason("COMMAND_TAKER_LOST");
}

absl::Status OutcomeUnknown(absl::string_view why) {
  return Error(absl::StatusCode::kAborted,
               absl::StrCat("the command was started, and how it ended is not known: ", why))
      .Reason("COMMAND_OUTCOME_UNKNOWN");
}

// The box's own words, by which the cloud knows what became of a command (link-10.8, link-10.10).
bool IsReserved(absl::string_view reason) {
  return reason == "COMMAND_EXPIRED" || reason == "COMMAND_OUTCOME_UNKNOWN" ||
         reason == "COMMAND_DEADLINE_EXCEEDED";
}

}  // namespace

// ---- session and takers ----

void CommandReceiver::Connected() {
  connected_ = true;
  if (takers_.empty()) return;  // As the cloud takes it to be.
  CommandTakers frame;
  for (const auto& [type, spoke] : takers_) frame.types.push_back(type);
  output_.push_back(std::move(frame));
}

void CommandReceiver::Disconnected() {
  connected_ = false;
  open_.clear();
  done_.clear();
}

absl::Status CommandReceiver::Attached(SpokeId spoke, const std::vector<std::string>& types) {
  std::map<std::string, SpokeId> takers = takers_;
  for (const std::string& type : types) takers[type] = spoke;
  if (takers.size() > kCommandTypesMax) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("the box takes at most ", kCommandTypesMax, " types of commands"))
        .Reason("COMMAND_TYPES_EXHAUSTED");
  }
  if (types.empty()) return absl::OkStatus();
  takers_ = std::move(takers);
  // Also where the types are what they were: what was returned for want of a taker comes again.
  if (connected_) Connected();
  return absl::OkStatus();
}

void CommandReceiver::Detached(SpokeId spoke) {
  if (std::erase_if(takers_, [&](const auto& entry) { return entry.second == spoke; }) == 0) return;
  if (connected_) {
    CommandTakers frame;
    for (const auto& [type, taker] : takers_) frame.types.push_back(type);
    output_.push_back(std::move(frame));
  }
  for (auto it = works_.begin(); it != works_.end();) {
    auto work = it++;
    if (work->second.phase != Work::Phase::kExecuting || work->second.spoke != spoke) continue;
    if (work->second.reexecutable) {
      // That it started may have been told to a session that is over.
      Receipt(work->first, CommandReceipt::Stage::kStarted);
      Receipt(work->first, CommandReceipt::Stage::kReturned, TakerLost());
      works_.erase(work);
    } else {
      Finish(work->first, work->second, OutcomeUnknown("its taker is gone"), "");
    }
  }
}

SpokeId CommandReceiver::TakerOf(const std::string& type) const {
  auto it = takers_.find(type);
  return it == takers_.end() ? 0 : it->second;
}

// ---- from the cloud ----

absl::Status CommandReceiver::Receive(Command frame) {
  size_t open = 0;
  size_t bytes = 0;
  for (const auto& [key, other] : open_) {
    if (other.type == frame.type) ++open;
    if (!other.started) bytes += other.bytes;
  }
  if (open >= kCommandsOpenMax || bytes >= kCommandWindowBytes) {
    return Violation("link-10.3", absl::StrCat(open, " commands of ", frame.type, " and ", bytes,
                                               " bytes are open already"));
  }
  const Open opened{frame.type, CommandBytes(frame), last_begin_ + 1};
  if (!open_.try_emplace(frame.key, opened).second) {
    return Violation("link-10.3", absl::StrCat("command ", frame.key, " is open already"));
  }
  Receipt(frame.key, CommandReceipt::Stage::kDelivered);
  const bool may_start = frame.expire_in > absl::ZeroDuration() && TakerOf(frame.type) != 0 &&
                         works_.count(frame.key) == 0;
  if (may_start) works_[frame.key] = {frame.type, frame.reexecutable};
  output_.push_back(edge::BeginCommand{std::move(frame), may_start, ++last_begin_});
  return absl::OkStatus();
}

void CommandReceiver::Begun(edge::CommandBegun event, absl::Duration now) {
  using State = edge::CommandRecord::State;
  Command& command = event.command;
  if (event.may_start && event.record.state != State::kBegun) works_.erase(command.key);
  // What it says to a command that was open then is not for one that came since: that has an answer
  // of its own.
  const auto open = open_.find(command.key);
  const bool current = open != open_.end() && open->second.begin == event.begin;
  if (!current && event.record.state != State::kBegun) return;
  switch (event.record.state) {
    case State::kBegun: {
      const SpokeId taker = TakerOf(command.type);
      if (taker == 0) {
        works_.erase(command.key);
        // The record of one that is re-executable may be of an earlier start.
        if (!command.reexecutable) output_.push_back(edge::ForgetCommand{command.key});
        if (!current) return;
        if (command.reexecutable) return StartedBefore(command);
        return Receipt(command.key, CommandReceipt::Stage::kReturned, NoCommandTaker(command.type));
      }
      Work& work = works_[command.key];
      work.phase = Work::Phase::kExecuting;
      work.spoke = taker;
      work.deadline = now + command.deadline;
      Receipt(command.key, CommandReceipt::Stage::kStarted);
      output_.push_back(Offer{taker,
                              {std::move(command.key), std::move(command.type),
                               std::move(command.payload), command.deadline}});
      return;
    }
    case State::kAbsent:
      if (command.expire_in > absl::ZeroDuration()) {
        return Receipt(command.key, CommandReceipt::Stage::kReturned, NoCommandTaker(command.type));
      }
      return Receipt(command.key, CommandReceipt::Stage::kDone,
                     Error(absl::StatusCode::kDeadlineExceeded,
                           "the command expired before the box could start it")
                         .Reason("COMMAND_EXPIRED"));
    case State::kStarted:
      return StartedBefore(command);
    case State::kDone:
      if (open_.count(command.key) != 0) done_.push_back(command.key);
      return;
    case State::kRefused:
      return Receipt(command.key, CommandReceipt::Stage::kDone, event.record.status);
  }
}

void CommandReceiver::StartedBefore(const Command& command) {
  const bool at_work = works_.count(command.key) != 0;
  const bool again = command.reexecutable && command.expire_in > absl::ZeroDuration();
  // The cloud is to know of the start before it hears that it is to wait.
  if (at_work || again) Receipt(command.key, CommandReceipt::Stage::kStarted);
  if (at_work) return;
  if (again) return Receipt(command.key, CommandReceipt::Stage::kReturned, TakerLost());
  Finish(command.key, works_[command.key], OutcomeUnknown("who worked on it is gone"), "");
}

// ---- from the box ----

bool CommandReceiver::Done(edge::CommandDone event) {
  auto it = works_.find(event.key);
  if (it == works_.end() || it->second.phase != Work::Phase::kExecuting ||
      it->second.spoke != event.spoke) {
    return false;
  }
  if (IsReserved(GetErrorInfo(event.status).reason))
    event.status = absl::Status(event.status.code(), event.status.message());
  Finish(event.key, it->second, std::move(event.status), std::move(event.response));
  return true;
}

void CommandReceiver::Finish(const std::string& key, Work& work, absl::Status status,
                             std::string response) {
  work.phase = Work::Phase::kFinishing;
  work.deadline = absl::InfiniteDuration();
  output_.push_back(edge::FinishCommand{key, std::move(status), std::move(response)});
}

void CommandReceiver::Finished(const edge::CommandFinished& event) {
  works_.erase(event.key);
  if (open_.count(event.key) == 0) return;
  if (event.stored.ok()) {
    done_.push_back(event.key);
  } else {
    Receipt(event.key, CommandReceipt::Stage::kDone, OutcomeUnknown("the box could not store it"));
  }
}

void CommandReceiver::Tick(absl::Duration now) {
  for (auto& [key, work] : works_) {
    if (work.deadline > now) continue;
    Finish(key, work,
           Error(absl::StatusCode::kDeadlineExceeded,
                 "the command's taker did not answer within the command's deadline")
               .Reason("COMMAND_DEADLINE_EXCEEDED"),
           "");
  }
}

absl::Duration CommandReceiver::NextWake() const {
  absl::Duration wake = absl::InfiniteDuration();
  for (const auto& [key, work] : works_) wake = std::min(wake, work.deadline);
  return wake;
}

// ---- to the cloud ----

std::string CommandReceiver::NextDone() {
  std::string key = std::move(done_.front());
  done_.pop_front();
  return key;
}

void CommandReceiver::Read(edge::CommandRead event) {
  if (event.record.state == edge::CommandRecord::State::kDone) {
    return Receipt(event.key, CommandReceipt::Stage::kDone, std::move(event.record.status),
                   std::move(event.record.response));
  }
  Receipt(event.key, CommandReceipt::Stage::kDone, OutcomeUnknown("the box can't read it"));
}

void CommandReceiver::Receipt(const std::string& key, CommandReceipt::Stage stage,
                              absl::Status status, std::string response) {
  auto it = open_.find(key);
  if (it == open_.end()) return;
  if (stage == CommandReceipt::Stage::kStarted && std::exchange(it->second.started, true)) return;
  output_.push_back(CommandReceipt{key, stage, std::move(status), std::move(response)});
  if (stage == CommandReceipt::Stage::kReturned || stage == CommandReceipt::Stage::kDone)
    open_.erase(it);
}

}  // namespace skerry::link
