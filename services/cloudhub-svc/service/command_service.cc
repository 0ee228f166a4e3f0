#include "services/cloudhub-svc/service/command_service.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/cloudhub-svc/service/command_wire.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/rpc/unary.h"

namespace skerry::cloudhub {
namespace {

constexpr size_t kPageSize = 50;
constexpr size_t kPageSizeMax = 1000;

class StreamWatcher final : public CommandWatcher {
 public:
  explicit StreamWatcher(std::shared_ptr<rpc::Stream<v1::Command>> stream)
      : stream_(std::move(stream)) {}
  bool Tell(const CommandInfo& info) override {
    v1::Command message;
    ToWire(info, message);
    return stream_->Send(std::move(message));
  }
  bool Listens() const override { return listens_; }
  void Close(absl::Status status) override { stream_->Close(std::move(status)); }
  void Gone() { listens_ = false; }

 private:
  const std::shared_ptr<rpc::Stream<v1::Command>> stream_;
  std::atomic<bool> listens_ = true;
};

class CommandServiceImpl final : public v1::CommandService::CallbackService {
 public:
  CommandServiceImpl(SessionHub& hub, exec::ThreadPool& pool, Clock& clock)
      : hub_(hub), pool_(pool), clock_(clock) {}

  grpc::ServerWriteReactor<v1::Command>* SendCommand(
      grpc::CallbackServerContext* context, const v1::SendCommandRequest* request) override {
    return rpc::AcceptWriter<v1::Command>(
        context, {},
        [&](const rpc::CallScope&,
            std::shared_ptr<rpc::Stream<v1::Command>> stream) -> rpc::WriterEvents {
          absl::StatusOr<CommandInfo> info = FromWire(*request, clock_.Now());
          if (!info.ok()) {
            stream->Close(info.status());
            return {};
          }
          auto watcher = std::make_shared<StreamWatcher>(std::move(stream));
          hub_.SendCommand(*std::move(info), watcher);
          return {.on_closed = [watcher](const absl::Status&) { watcher->Gone(); },
                  .on_drained = nullptr};
        });
  }

  grpc::ServerUnaryReactor* GetCommand(grpc::CallbackServerContext* context,
                                       const v1::GetCommandRequest* request,
                                       v1::Command* response) override {
    return rpc::RunUnary(
        context, pool_, [this, request, response](const rpc::CallScope&) -> absl::Status {
          SKERRY_ASSIGN_OR_RETURN(CommandName name, ParseCommandName(request->name()));
          SKERRY_ASSIGN_OR_RETURN(CommandInfo info, hub_.FindCommand(name.node, name.key));
          ToWire(info, *response);
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* ListCommands(grpc::CallbackServerContext* context,
                                         const v1::ListCommandsRequest* request,
                                         v1::ListCommandsResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return List(*request, *response);
    });
  }

  grpc::ServerUnaryReactor* CancelCommand(grpc::CallbackServerContext* context,
                                          const v1::CancelCommandRequest* request,
                                          v1::Command* response) override {
    return rpc::RunUnary(
        context, pool_, [this, request, response](const rpc::CallScope&) -> absl::Status {
          SKERRY_ASSIGN_OR_RETURN(CommandName name, ParseCommandName(request->name()));
          SKERRY_ASSIGN_OR_RETURN(CommandInfo info, hub_.CancelCommand(name.node, name.key));
          ToWire(info, *response);
          return absl::OkStatus();
        });
  }

 private:
  absl::Status List(const v1::ListCommandsRequest& request, v1::ListCommandsResponse& response) {
    SKERRY_ASSIGN_OR_RETURN(std::string node, ParseCommandParent(request.parent()));
    if (request.page_size() < 0) {
      return InvalidField("page_size", absl::StrCat(request.page_size()), "give 0 to 1,000");
    }
    const size_t size = request.page_size() == 0
                            ? kPageSize
                            : std::min(static_cast<size_t>(request.page_size()), kPageSizeMax);
    std::string after;
    if (!absl::WebSafeBase64Unescape(request.page_token(), &after))
      return InvalidField("page_token", request.page_token(), "give that of the last page");
    // By key: those that begin with the prefix follow it.
    after = std::max(after, request.key_prefix());
    SKERRY_ASSIGN_OR_RETURN(std::vector<CommandInfo> page, hub_.ListCommands(node, after, size));
    for (const CommandInfo& info : page) {
      if (!absl::StartsWith(info.command.key, request.key_prefix())) return absl::OkStatus();
      ToWire(info, *response.add_commands());
    }
    if (page.size() == size)
      response.set_next_page_token(absl::WebSafeBase64Escape(page.back().command.key));
    return absl::OkStatus();
  }

  SessionHub& hub_;
  exec::ThreadPool& pool_;
  Clock& clock_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeCommandService(SessionHub& hub, exec::ThreadPool& pool,
                                                  Clock& clock) {
  return std::make_unique<CommandServiceImpl>(hub, pool, clock);
}

}  // namespace skerry::cloudhub
