// What HubCommands knows of commands that it does not wait for.
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/device-controller-svc/service/command_words.h"
#include "services/device-controller-svc/service/core/command_course.h"
#include "services/device-controller-svc/service/hub_commands.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using cloudhub::v1::CommandService;

constexpr int kHubPageSize = 100;   // A command's status may have 32 KiB, a message 4 MiB.
constexpr int kHubPagesMax = 1000;  // A hub that does not know key_prefix gives all of the node.

absl::Status Unreachable(const CommandHub& hub, const absl::Status& status) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("hub ", hub.address, " can't be asked: ", status.message()))
      .Reason("HUB_UNREACHABLE")
      .Meta("hub", hub.address);
}

absl::Status Unknown(const std::string& node) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("no hub knows that call of node ", node, " (any more)"))
      .Reason("METHOD_CALL_UNKNOWN")
      .Meta("node", node);
}

absl::Status NoHubs() {
  return Error(absl::StatusCode::kUnavailable, "no hub is known").Reason("HUB_UNREACHABLE");
}

// Fails at once where the hub can't be reached.
absl::Status CallHub(absl::Duration timeout,
                     absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call) {
  grpc::ClientContext context;
  context.set_deadline(rpc::DeadlineIn(timeout));
  return rpc::FromGrpc(call(&context));
}

}  // namespace

absl::StatusOr<Command> HubCommands::Get(const std::string& node, const std::string& key,
                                         absl::Duration timeout) {
  const std::shared_ptr<const Hubs> hubs = this->hubs();
  if (hubs->empty()) return NoHubs();
  absl::Status error = Unknown(node);
  std::optional<Command> best;
  for (const CommandHub& hub : *hubs) {
    cloudhub::v1::GetCommandRequest request;
    request.set_name(CommandName(node, key));
    Command command;
    const absl::Status status = CallHub(timeout, [&](grpc::ClientContext* context) {
      return CommandService::NewStub(hub.channel)->GetCommand(context, request, &command);
    });
    if (status.ok()) {
      if (!best.has_value() || RankOf(command) > RankOf(*best)) best = std::move(command);
      if (StageOf(*best) == CommandStage::kEnded) break;
    } else if (status.code() != absl::StatusCode::kNotFound) {
      error = CommandCourse::IsLoss(status) ? Unreachable(hub, status) : status;
    }
  }
  if (best.has_value()) return *std::move(best);
  return error;
}

absl::StatusOr<std::vector<Command>> HubCommands::List(const std::string& node,
                                                       const std::string& prefix,
                                                       absl::Duration timeout) {
  const std::shared_ptr<const Hubs> hubs = this->hubs();
  if (hubs->empty()) return NoHubs();
  const std::string name_prefix = CommandName(node, prefix);
  std::map<std::string, Command> commands;  // By name.
  for (const CommandHub& hub : *hubs) {
    cloudhub::v1::ListCommandsRequest request;
    request.set_parent(absl::StrCat("nodes/", node));
    request.set_page_size(kHubPageSize);
    request.set_key_prefix(prefix);
    for (int page = 0;; ++page) {
      cloudhub::v1::ListCommandsResponse response;
      const absl::Status status = CallHub(timeout, [&](grpc::ClientContext* context) {
        return CommandService::NewStub(hub.channel)->ListCommands(context, request, &response);
      });
      if (!status.ok()) return CommandCourse::IsLoss(status) ? Unreachable(hub, status) : status;
      for (Command& command : *response.mutable_commands()) {
        if (!absl::StartsWith(command.name(), name_prefix) || command.name() == name_prefix)
          continue;
        const auto [it, added] = commands.try_emplace(command.name(), command);
        if (!added && RankOf(command) > RankOf(it->second)) it->second = std::move(command);
      }
      if (response.next_page_token().empty()) break;
      if (commands.size() > kListMax || page + 1 == kHubPagesMax) {
        return Error(absl::StatusCode::kResourceExhausted,
                     absl::StrCat("node ", node,
                                  " has too many calls to list them: ask for each "
                                  "by its name"))
            .Reason("TOO_MANY_CALLS");
      }
      request.set_page_token(response.next_page_token());
    }
  }
  std::vector<Command> list;
  for (auto& [name, command] : commands) list.push_back(std::move(command));
  return list;
}

absl::StatusOr<Command> HubCommands::Cancel(const std::string& node, const std::string& key,
                                            absl::Duration timeout) {
  const std::shared_ptr<const Hubs> hubs = this->hubs();
  if (hubs->empty()) return NoHubs();
  absl::Status refused;      // It can't be cancelled, whatever the other hubs say.
  absl::Status unreachable;  // A hub that may send it.
  std::optional<Command> cancelled;
  for (const CommandHub& hub : *hubs) {
    cloudhub::v1::CancelCommandRequest request;
    request.set_name(CommandName(node, key));
    Command command;
    const absl::Status status = CallHub(timeout, [&](grpc::ClientContext* context) {
      return CommandService::NewStub(hub.channel)->CancelCommand(context, request, &command);
    });
    if (status.ok()) {
      // Of all hubs.
      if (command.delivery() == Command::DELIVERY_QUEUE) return command;
      cancelled = std::move(command);
    } else if (status.code() == absl::StatusCode::kNotFound) {
      continue;
    } else if (CommandCourse::IsLoss(status)) {
      unreachable = Unreachable(hub, status);
    } else {
      refused = status;
    }
  }
  if (!refused.ok()) return refused;
  if (!unreachable.ok()) return unreachable;
  if (cancelled.has_value()) return *std::move(cancelled);
  return Unknown(node);
}

}  // namespace skerry::devicecontroller
