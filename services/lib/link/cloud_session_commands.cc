// The commands of a CloudSession.
#include <string>
#include <type_traits>
#include <utility>

#include "services/lib/link/cloud_session.h"

namespace skerry::link {

void CloudSession::On(cloud::QueueCommand event) {
  if (phase_ != Phase::kOpen) return;
  commands_.Queue(std::move(event));
  FlushCommands();
}

void CloudSession::On(cloud::SendCommand event) {
  Answered(event.command.key);
  commands_.Send(std::move(event.command));
  FlushCommands();
}

void CloudSession::On(cloud::DropCommand event) {
  Answered(event.key);
  commands_.Drop(event.key);
  FlushCommands();
}

void CloudSession::Receive(CommandReceipt frame) {
  absl::Status status = commands_.Receive(std::move(frame));
  if (!status.ok()) return Fail(std::move(status));
  FlushCommands();
}

void CloudSession::Receive(CommandTakers frame) {
  commands_.Receive(frame);
  FlushCommands();
}

void CloudSession::FlushCommands() {
  for (CommandSender::Output& output : commands_.TakeOutput()) {
    std::visit(
        [this](auto& item) {
          using T = std::decay_t<decltype(item)>;
          if constexpr (std::is_same_v<T, Command>) {
            SendCommandFrame(std::move(item));
          } else if constexpr (std::is_same_v<T, CommandReceipt>) {
            Emit(cloud::CommandReceived{std::move(item)});
          } else if (budget_.limited()) {
            due_commands_.push_back(std::move(item.key));
          } else {
            Emit(std::move(item));
          }
        },
        output);
  }
  Pump();
}

// One at a time, when it can go: until then it is the hub's, where it can expire.
bool CloudSession::CommandReady() const {
  return !due_commands_.empty() && asked_command_.empty() && chunks_.frames(Rank::kCommand) == 0;
}

void CloudSession::AskForCommand() {
  asked_command_ = std::move(due_commands_.front());
  due_commands_.pop_front();
  Emit(cloud::CommandDue{asked_command_});
}

void CloudSession::Answered(const std::string& key) {
  std::erase(due_commands_, key);
  if (asked_command_ == key) asked_command_.clear();
}

// Commands of a type keep their order. Where the transport has had enough, also small ones wait.
void CloudSession::SendCommandFrame(Command frame) {
  const std::string flow = "command " + frame.type;
  SendRanked(Rank::kCommand, flow, std::move(frame),
             transport_bytes_ < config_.transport_bytes_max);
}

}  // namespace skerry::link
