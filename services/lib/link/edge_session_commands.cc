// The commands of an EdgeSession.
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "services/lib/link/edge_session.h"

namespace skerry::link {

void EdgeSession::Receive(Command frame) {
  absl::Status status = commands_.Receive(std::move(frame));
  if (!status.ok()) return Hangup(std::move(status));
  FlushCommands();
}

void EdgeSession::On(edge::CommandBegun event) {
  commands_.Begun(std::move(event), now_);
  FlushCommands();
}

void EdgeSession::On(edge::CommandFinished event) {
  commands_.Finished(event);
  FlushCommands();
}

void EdgeSession::On(edge::CommandDone event) {
  if (!commands_.Done(std::move(event))) Count(edge::Incident::kStaleCommand);
  FlushCommands();
}

void EdgeSession::On(edge::CommandRead event) {
  if (event.connection != connection_ || !connected()) return;
  reading_command_ = false;
  commands_.Read(std::move(event));
  FlushCommands();
}

// Receipts are small but for responses: these are read one at a time, as the transport takes them,
// and the next when the last is out, so that at most one waits in chunks.
void EdgeSession::FlushCommands() {
  for (CommandReceiver::Output& output : commands_.TakeOutput()) {
    std::visit(
        [this](auto& item) {
          using T = std::decay_t<decltype(item)>;
          if constexpr (std::is_same_v<T, CommandReceipt>) {
            const std::string flow = "command " + item.key;
            SendRanked(Rank::kCommand, flow, std::move(item));
          } else if constexpr (std::is_same_v<T, CommandTakers>) {
            Send(std::move(item));
          } else if constexpr (std::is_same_v<T, CommandReceiver::Offer>) {
            ToSpoke(item.spoke, std::move(item.request));
          } else {
            Emit(std::move(item));
          }
        },
        output);
  }
  PumpResponses();
  Pump();
}

void EdgeSession::PumpResponses() {
  if (!connected() || reading_command_ || !commands_.HasDone()) return;
  if (chunks_.frames(Rank::kCommand) != 0 || TransportFull()) return;
  if (!budget_.Open(now_)) return Defer();
  reading_command_ = true;
  Emit(edge::ReadCommand{connection_, commands_.NextDone()});
}

}  // namespace skerry::link
