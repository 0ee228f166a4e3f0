#include "services/device-controller-svc/service/testing/fake_command_hub.h"

#include <map>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/rpc/unary.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using cloudhub::v1::SendCommandRequest;
using CommandStream = rpc::Stream<Command>;

struct Entry {
  Command command;
  std::string payload;
  std::vector<std::shared_ptr<CommandStream>> watchers;
};

bool IsEnd(const Command& command) { return command.stage() >= Command::STAGE_DONE; }

std::string NameOf(const std::string& node, const std::string& key) {
  return absl::StrCat("nodes/", node, "/commands/", key);
}

absl::Status Unknown(const std::string& name) {
  return Error(absl::StatusCode::kNotFound, absl::StrCat("no ", name)).Reason("COMMAND_UNKNOWN");
}

void Tell(Entry& entry) {
  for (const auto& watcher : entry.watchers) {
    watcher->Send(entry.command);
    if (IsEnd(entry.command)) watcher->Close(absl::OkStatus());
  }
}

}  // namespace

struct FakeCommandHub::Queue {
  absl::Mutex mutex;
  std::map<std::string, Entry> entries ABSL_GUARDED_BY(mutex);  // By name.
};

std::shared_ptr<FakeCommandHub::Queue> FakeCommandHub::MakeQueue() {
  return std::make_shared<Queue>();
}

struct FakeCommandHub::Impl final : public cloudhub::v1::CommandService::CallbackService {
  explicit Impl(std::shared_ptr<Queue> q) : queue(std::move(q)) {
    server = *rpc::Server::Create({.listen = "127.0.0.1:0"}, {this});
    address = server->address();
  }

  // Of this hub alone, or of all.
  Entry* Find(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue->mutex) {
    if (const auto it = own.find(name); it != own.end()) return &it->second;
    const auto it = queue->entries.find(name);
    return it == queue->entries.end() ? nullptr : &it->second;
  }

  grpc::ServerWriteReactor<Command>* SendCommand(grpc::CallbackServerContext* context,
                                                 const SendCommandRequest* request) override {
    return rpc::AcceptWriter<Command>(
        context, {},
        [&](const rpc::CallScope&, std::shared_ptr<CommandStream> stream) -> rpc::WriterEvents {
          absl::MutexLock lock(&queue->mutex);
          Take(*request, stream);
          return {};
        });
  }

  void Take(const SendCommandRequest& request, const std::shared_ptr<CommandStream>& stream)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue->mutex) {
    ++sends[request.key()];
    last = request;
    streams.push_back(stream);
    const std::string name = NameOf(request.node(), request.key());
    if (Entry* entry = Find(name); entry != nullptr) {
      if (entry->payload != request.payload()) {
        return stream->Close(Error(absl::StatusCode::kInvalidArgument, "another payload")
                                 .Reason("IDEMPOTENCY_KEY_REUSED"));
      }
      stream->Send(entry->command);
      if (IsEnd(entry->command)) return stream->Close(absl::OkStatus());
      entry->watchers.push_back(stream);
      return;
    }
    const bool connected = nodes.count(request.node()) > 0;
    if (request.delivery() == Command::DELIVERY_NOW && !connected) {
      return stream->Close(
          Error(absl::StatusCode::kUnavailable, "not connected").Reason("NODE_NOT_CONNECTED"));
    }
    const bool queued = request.delivery() == Command::DELIVERY_QUEUE;
    Entry& entry = queued ? queue->entries[name] : own[name];
    entry.command.set_name(name);
    entry.command.set_type(request.type());
    entry.command.set_delivery(request.delivery());
    *entry.command.mutable_deadline() = request.deadline();
    entry.command.set_stage(Command::STAGE_ACCEPTED);
    entry.payload = request.payload();
    entry.watchers.push_back(stream);
    Tell(entry);
    if (connected) Execute(entry, nodes[request.node()]);
  }

  static void Execute(Entry& entry, const Box& box) {
    if (entry.command.stage() != Command::STAGE_ACCEPTED) return;
    entry.command.set_stage(Command::STAGE_SENT);
    Tell(entry);
    twin::v1::MethodCall call;
    call.ParseFromString(entry.payload);
    const Command end = box(call);
    if (end.stage() == Command::STAGE_UNSPECIFIED) return;
    entry.command.set_stage(end.stage());
    *entry.command.mutable_status() = end.status();
    entry.command.set_response(end.response());
    Tell(entry);
  }

  void ExecuteAll(std::map<std::string, Entry>& entries, const std::string& node)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(queue->mutex) {
    for (auto& [name, entry] : entries) {
      if (name.rfind(NameOf(node, ""), 0) == 0) Execute(entry, nodes[node]);
    }
  }

  grpc::ServerUnaryReactor* GetCommand(grpc::CallbackServerContext* context,
                                       const cloudhub::v1::GetCommandRequest* request,
                                       Command* response) override {
    return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
      absl::MutexLock lock(&queue->mutex);
      const Entry* entry = Find(request->name());
      if (entry == nullptr) return finish(Unknown(request->name()));
      *response = entry->command;
      finish(absl::OkStatus());
    });
  }

  // Two a page, so that readers turn pages.
  grpc::ServerUnaryReactor* ListCommands(grpc::CallbackServerContext* context,
                                         const cloudhub::v1::ListCommandsRequest* request,
                                         cloudhub::v1::ListCommandsResponse* response) override {
    return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
      absl::MutexLock lock(&queue->mutex);
      std::map<std::string, Command> all;
      for (const auto* entries : {&own, &queue->entries}) {
        for (const auto& [name, entry] : *entries) all[name] = entry.command;
      }
      for (auto& [name, command] : all) {
        if (name <= request->page_token()) continue;
        if (response->commands_size() == 2) {
          response->set_next_page_token(response->commands(1).name());
          break;
        }
        command.clear_response();
        *response->add_commands() = command;
      }
      finish(absl::OkStatus());
    });
  }

  grpc::ServerUnaryReactor* CancelCommand(grpc::CallbackServerContext* context,
                                          const cloudhub::v1::CancelCommandRequest* request,
                                          Command* response) override {
    return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
      absl::MutexLock lock(&queue->mutex);
      Entry* entry = Find(request->name());
      if (entry == nullptr) return finish(Unknown(request->name()));
      if (entry->command.stage() != Command::STAGE_ACCEPTED) {
        return finish(Error(absl::StatusCode::kFailedPrecondition, "too late")
                          .Reason(IsEnd(entry->command) ? "COMMAND_ENDED" : "COMMAND_SENT"));
      }
      entry->command.set_stage(Command::STAGE_CANCELLED);
      Tell(*entry);
      *response = entry->command;
      finish(absl::OkStatus());
    });
  }

  const std::shared_ptr<Queue> queue;
  std::map<std::string, Entry> own ABSL_GUARDED_BY(queue->mutex);  // By name.
  std::map<std::string, Box> nodes ABSL_GUARDED_BY(queue->mutex);
  std::map<std::string, int> sends ABSL_GUARDED_BY(queue->mutex);
  std::vector<std::shared_ptr<CommandStream>> streams ABSL_GUARDED_BY(queue->mutex);
  SendCommandRequest last ABSL_GUARDED_BY(queue->mutex);
  std::string address;
  std::unique_ptr<rpc::Server> server;
};

FakeCommandHub::FakeCommandHub(std::shared_ptr<Queue> queue)
    : impl_(std::make_unique<Impl>(std::move(queue))) {}

FakeCommandHub::~FakeCommandHub() { Stop(); }

CommandHub FakeCommandHub::target() const {
  return {impl_->address, *rpc::MakeChannel({.target = impl_->address, .own_connection = true})};
}

void FakeCommandHub::Connect(const std::string& node, Box box) {
  absl::MutexLock lock(&impl_->queue->mutex);
  impl_->nodes[node] = std::move(box);
  impl_->ExecuteAll(impl_->own, node);
  impl_->ExecuteAll(impl_->queue->entries, node);
}

void FakeCommandHub::Disconnect(const std::string& node) {
  absl::MutexLock lock(&impl_->queue->mutex);
  impl_->nodes.erase(node);
}

void FakeCommandHub::Cut(const absl::Status& status) {
  absl::MutexLock lock(&impl_->queue->mutex);
  for (const auto& stream : impl_->streams) stream->Close(status);
  impl_->streams.clear();
}

void FakeCommandHub::Stop() { impl_->server->Shutdown(absl::Now()); }

int FakeCommandHub::sends(const std::string& key) const {
  absl::MutexLock lock(&impl_->queue->mutex);
  const auto it = impl_->sends.find(key);
  return it == impl_->sends.end() ? 0 : it->second;
}

bool FakeCommandHub::AwaitSends(const std::string& key, int times, absl::Duration limit) const {
  const auto come = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const auto it = impl_->sends.find(key);
    return it != impl_->sends.end() && it->second >= times;
  };
  absl::MutexLock lock(&impl_->queue->mutex);
  return impl_->queue->mutex.AwaitWithTimeout(absl::Condition(&come), limit);
}

Command FakeCommandHub::Find(const std::string& key) const {
  absl::MutexLock lock(&impl_->queue->mutex);
  for (const auto* entries : {&impl_->own, &impl_->queue->entries}) {
    for (const auto& [name, entry] : *entries) {
      if (name.size() > key.size() && name.substr(name.size() - key.size()) == key)
        return entry.command;
    }
  }
  return {};
}

bool FakeCommandHub::AwaitStage(const std::string& key, Command::Stage stage,
                                absl::Duration limit) const {
  const auto come = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto* entries : {&impl_->own, &impl_->queue->entries}) {
      for (const auto& [name, entry] : *entries) {
        if (name.size() > key.size() && name.substr(name.size() - key.size()) == key &&
            entry.command.stage() == stage) {
          return true;
        }
      }
    }
    return false;
  };
  absl::MutexLock lock(&impl_->queue->mutex);
  return impl_->queue->mutex.AwaitWithTimeout(absl::Condition(&come), limit);
}

SendCommandRequest FakeCommandHub::last() const {
  absl::MutexLock lock(&impl_->queue->mutex);
  return impl_->last;
}

Command Done(int status, const std::string& payload) {
  twin::v1::MethodResult result;
  result.set_status(status);
  result.set_payload(payload);
  Command command;
  command.set_stage(Command::STAGE_DONE);
  command.set_response(result.SerializeAsString());
  return command;
}

Command Ended(Command::Stage stage, const absl::Status& status) {
  Command command;
  command.set_stage(stage);
  *command.mutable_status() = rpc::ToProto(status);
  return command;
}

}  // namespace skerry::devicecontroller
