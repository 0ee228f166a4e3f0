// Commands to nodes, through the hub that has the node's session.
#ifndef SKERRY_SERVICES_ROUTER_SVC_GATEWAY_COMMAND_SENDER_H_
#define SKERRY_SERVICES_ROUTER_SVC_GATEWAY_COMMAND_SENDER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::router {

struct NodeCommand {
  std::string node;
  std::string key;  // The same again is the same command, and executed once.
  std::string type;
  std::string payload;
  absl::Duration deadline;
};

// What executes commands, for the gateway.
class CommandSender {
 public:
  virtual ~CommandSender() = default;
  // The response, or how the command ended. Once, on any thread.
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string> response)>;
  // Does not block. UNAVAILABLE / NODE_NOT_CONNECTED.
  virtual void Send(NodeCommand command, Done done) = 0;
};

// By CommandService, delivery NOW: what can't be executed at once fails. Any thread may call it.
class HubCommandSender final : public CommandSender {
 public:
  // The hub that the node is connected to; null: none.
  using ChannelOf = std::function<std::shared_ptr<grpc::Channel>(const std::string& node)>;
  explicit HubCommandSender(ChannelOf channel_of) : channel_of_(std::move(channel_of)) {}
  ~HubCommandSender() override;  // Stop().

  void Send(NodeCommand command, Done done) override;
  // Ends the calls, and waits until they have. Not from `done`. Idempotent.
  void Stop();

 private:
  struct Call;
  struct Calls;
  const ChannelOf channel_of_;
  const std::shared_ptr<Calls> calls_ = MakeCalls();
  static std::shared_ptr<Calls> MakeCalls();
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_GATEWAY_COMMAND_SENDER_H_
