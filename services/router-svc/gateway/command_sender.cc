#include "services/router-svc/gateway/command_sender.h"

#include <grpcpp/channel.h>

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/cloudhub/v1/command_service.grpc.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server_reader_client.h"

namespace skerry::router {
namespace {

namespace hub = skerry::cloudhub::v1;

// The hub tells of a command's deadline itself; this is for a hub that does not answer.
constexpr absl::Duration kGrace = absl::Seconds(5);

hub::SendCommandRequest Request(NodeCommand& command) {
  hub::SendCommandRequest request;
  request.set_node(command.node);
  request.set_key(command.key);
  request.set_type(command.type);
  request.set_payload(std::move(command.payload));
  request.set_delivery(hub::Command::DELIVERY_NOW);
  const int64_t nanos = absl::ToInt64Nanoseconds(command.deadline);
  request.mutable_deadline()->set_seconds(nanos / 1'000'000'000);
  request.mutable_deadline()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return request;
}

// Nullopt: it goes on.
std::optional<absl::StatusOr<std::string>> EndOf(hub::Command& command) {
  switch (command.stage()) {
    case hub::Command::STAGE_DONE: {
      absl::Status status = rpc::FromProto(command.status());
      if (!status.ok()) return status;
      return std::move(*command.mutable_response());
    }
    case hub::Command::STAGE_EXPIRED:
    case hub::Command::STAGE_CANCELLED: {
      absl::Status status = rpc::FromProto(command.status());
      if (!status.ok()) return status;
      return Error(absl::StatusCode::kUnavailable, "the command was not executed")
          .Reason("COMMAND_NOT_EXECUTED");
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

// One call of SendCommand, told once.
struct HubCommandSender::Call {
  absl::Mutex mutex;
  Done done ABSL_GUARDED_BY(mutex);

  void Finish(absl::StatusOr<std::string> response) {
    Done told;
    {
      absl::MutexLock lock(&mutex);
      told.swap(done);
    }
    if (told) told(std::move(response));
  }
};

// Those that are open; outlives the sender while one of them ends.
struct HubCommandSender::Calls {
  absl::Mutex mutex;
  bool stopping ABSL_GUARDED_BY(mutex) = false;
  uint64_t next ABSL_GUARDED_BY(mutex) = 0;
  std::map<uint64_t, std::shared_ptr<rpc::StreamControl>> open ABSL_GUARDED_BY(mutex);

  // False when stopping.
  bool Begin(uint64_t& id) {
    absl::MutexLock lock(&mutex);
    if (stopping) return false;
    id = ++next;
    open[id] = nullptr;
    return true;
  }
  void Add(uint64_t id, std::shared_ptr<rpc::StreamControl> stream) {
    bool close = false;
    {
      absl::MutexLock lock(&mutex);
      const auto it = open.find(id);
      if (it == open.end()) return;  // It has ended.
      it->second = stream;
      close = stopping;
    }
    if (close) stream->Close(absl::CancelledError("router-svc is stopping"));
  }
  void End(uint64_t id) {
    absl::MutexLock lock(&mutex);
    open.erase(id);
  }
};

std::shared_ptr<HubCommandSender::Calls> HubCommandSender::MakeCalls() {
  return std::make_shared<Calls>();
}

HubCommandSender::~HubCommandSender() { Stop(); }

void HubCommandSender::Send(NodeCommand command, Done done) {
  const std::shared_ptr<grpc::Channel> channel = channel_of_(command.node);
  if (channel == nullptr) {
    return done(Error(absl::StatusCode::kUnavailable,
                      absl::StrCat("node ", command.node.substr(0, 253), " is not connected"))
                    .Reason("NODE_NOT_CONNECTED"));
  }
  uint64_t id = 0;
  if (!calls_->Begin(id)) {
    return done(Error(absl::StatusCode::kUnavailable, "router-svc is stopping").Reason("DRAINING"));
  }
  auto call = std::make_shared<Call>();
  {
    absl::MutexLock lock(&call->mutex);
    call->done = std::move(done);
  }
  const gpr_timespec deadline = rpc::DeadlineIn(command.deadline + kGrace);
  auto stub = hub::CommandService::NewStub(channel);
  rpc::StreamEvents<hub::Command> events;
  events.on_message = [call](hub::Command stage) {
    if (auto end = EndOf(stage); end.has_value()) call->Finish(*std::move(end));
  };
  events.on_closed = [call, calls = calls_, id](absl::Status status) {
    if (status.ok())
      status = Error(absl::StatusCode::kUnavailable, "the hub did not say how the command ended")
                   .Reason("COMMAND_OUTCOME_UNKNOWN");
    call->Finish(std::move(status));
    calls->End(id);
  };
  auto stream = rpc::DialReader<hub::SendCommandRequest, hub::Command>(
      Request(command),
      [&](grpc::ClientContext* context, const hub::SendCommandRequest* request, auto* reactor) {
        context->set_deadline(deadline);
        stub->async()->SendCommand(context, request, reactor);
      },
      {}, std::move(events));
  calls_->Add(id, std::move(stream));
}

void HubCommandSender::Stop() {
  std::vector<std::shared_ptr<rpc::StreamControl>> open;
  {
    absl::MutexLock lock(&calls_->mutex);
    calls_->stopping = true;
    for (const auto& [id, stream] : calls_->open) {
      if (stream != nullptr) open.push_back(stream);
    }
  }
  for (const auto& stream : open) stream->Close(absl::CancelledError("router-svc is stopping"));
  absl::MutexLock lock(&calls_->mutex);
  calls_->mutex.Await(absl::Condition(
      +[](Calls* calls) ABSL_NO_THREAD_SAFETY_ANALYSIS { return calls->open.empty(); },
      calls_.get()));
}

}  // namespace skerry::router
