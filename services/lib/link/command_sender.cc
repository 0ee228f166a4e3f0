#include "services/lib/link/command_sender.h"

#include <iterator>

#include "absl/strings/str_cat.h"

namespace skerry::link {

CommandSender::Entries::iterator CommandSender::Find(const std::string& key) {
  auto it = by_key_.find(key);
  return it == by_key_.end() ? entries_.end() : entries_.find(it->second);
}

void CommandSender::Erase(Entries::iterator it) {
  std::optional<cloud::QueueCommand> next = std::move(it->second.next);
  by_key_.erase(it->second.key);
  entries_.erase(it);
  if (next.has_value()) Queue(*std::move(next));
}

void CommandSender::Queue(cloud::QueueCommand command) {
  if (auto it = Find(command.key); it != entries_.end()) {
    // The box is at an earlier command of that key: what it says of that is not of this one.
    if (it->second.dropped) it->second.next = std::move(command);
    return;
  }
  // As CommandBytes counts it, which is how the box does.
  const size_t bytes = CommandBytes({command.key, command.type}) + command.payload_bytes_max;
  by_key_[command.key] = ++last_;
  entries_[last_] = {std::move(command.key), std::move(command.type), bytes, command.now,
                     command.ask};
  Pump();
}

void CommandSender::Send(Command command) {
  auto it = Find(command.key);
  if (it == entries_.end() || it->second.phase != Phase::kDue) return;
  it->second.phase = Phase::kSent;
  it->second.bytes = CommandBytes(command);
  output_.push_back(std::move(command));
  Answered();
}

void CommandSender::Drop(const std::string& key) {
  auto it = Find(key);
  if (it == entries_.end()) return;
  if (it->second.phase <= Phase::kDue) {
    Erase(it);
  } else {
    it->second.dropped = true;
    it->second.next.reset();
  }
  Answered();
}

void CommandSender::Answered() {
  for (const auto& [sequence, entry] : entries_) {
    if (entry.phase == Phase::kDue) return;
  }
  Pump();
}

absl::Status CommandSender::Receive(CommandReceipt frame) {
  auto it = Find(frame.key);
  if (it == entries_.end() || it->second.phase < Phase::kSent) {
    return Violation("link-10.4", absl::StrCat("a receipt of command ", frame.key,
                                               ", which the box does not have"));
  }
  using Stage = CommandReceipt::Stage;
  Entry& entry = it->second;
  const Phase phase = frame.stage == Stage::kDelivered ? Phase::kDelivered : Phase::kStarted;
  // DELIVERED comes first; DELIVERED and STARTED come once, and the others end it.
  if ((frame.stage == Stage::kDelivered) != (entry.phase == Phase::kSent) ||
      (frame.stage == Stage::kStarted && entry.phase == Phase::kStarted)) {
    return Violation("link-10.4",
                     absl::StrCat("a receipt of command ", frame.key, " out of order"));
  }
  if (frame.stage == Stage::kReturned) {
    Returned(it, std::move(frame));
  } else {
    entry.phase = phase;
    const bool dropped = entry.dropped;
    if (frame.stage == Stage::kDone) Erase(it);
    if (!dropped) output_.push_back(std::move(frame));
  }
  Pump();
  return absl::OkStatus();
}

void CommandSender::Returned(Entries::iterator it, CommandReceipt receipt) {
  const bool dropped = it->second.dropped;
  it->second.phase = Phase::kWaiting;
  it->second.ask = false;
  if (dropped || it->second.now) Erase(it);
  if (!dropped) output_.push_back(std::move(receipt));
}

void CommandSender::Receive(const CommandTakers& frame) {
  takers_ = {frame.types.begin(), frame.types.end()};
  Pump();
}

bool CommandSender::HasRoom(const std::string& type) const {
  size_t open = 0;
  size_t bytes = 0;
  for (const auto& [sequence, entry] : entries_) {
    if (entry.phase == Phase::kWaiting) continue;
    if (entry.type == type) ++open;
    if (entry.phase != Phase::kStarted) bytes += entry.bytes;
  }
  return open < kCommandsOpenMax && bytes < kCommandWindowBytes;
}

void CommandSender::Pump() {
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto next = std::next(it);
    Entry& entry = it->second;
    if (entry.phase == Phase::kWaiting) {
      if (takers_.count(entry.type) != 0 || entry.ask) {
        if (HasRoom(entry.type)) {
          entry.phase = Phase::kDue;
          output_.push_back(cloud::CommandDue{entry.key});
        }
      } else if (entry.now) {
        CommandReceipt receipt{entry.key, CommandReceipt::Stage::kReturned,
                               NoCommandTaker(entry.type), ""};
        Returned(it, std::move(receipt));
      }
    }
    it = next;
  }
}

}  // namespace skerry::link
