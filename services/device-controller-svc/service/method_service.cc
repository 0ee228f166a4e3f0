#include "services/device-controller-svc/service/method_service.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "api/skerry/devicecontroller/v1/method_service.grpc.pb.h"
#include "services/device-controller-svc/service/device_wire.h"
#include "services/device-controller-svc/service/method_wire.h"
#include "services/device-controller-svc/service/pages.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/scope.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::devicecontroller {
namespace {

using cloudhub::v1::Command;
using Finish = absl::AnyInvocable<void(absl::Status)>;

constexpr absl::Duration kHubTimeout = absl::Seconds(2);  // Of each hub, for what is not a call.

std::string NewCallId() {
  thread_local absl::BitGen random;
  return absl::StrFormat("%016x%016x", absl::Uniform<uint64_t>(random),
                         absl::Uniform<uint64_t>(random));
}

absl::Status Refused(const DeviceRecord& record) {
  const std::string& device = record.object.device.value();
  if (!record.enabled) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("device ", device, " is disabled: ", record.disable_reason))
        .Reason("DEVICE_DISABLED")
        .Meta("device", device)
        .Meta("disable_reason", record.disable_reason);
  }
  if (record.object.node.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("device ", device, " is bound to no node: set spec.nodeName"))
        .Reason("DEVICE_UNBOUND")
        .Meta("device", device);
  }
  return absl::OkStatus();
}

absl::Status CallsFull(size_t calls) {
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat(calls, " calls of methods are under way: try again later"))
      .Reason("METHOD_CALLS_FULL");
}

// With the name under which GetMethodCall knows it.
absl::Status WithName(absl::Status status, const std::string& name) {
  ErrorInfo info = GetErrorInfo(status);
  info.metadata["method_call"] = name;
  if (info.reason.empty()) info.reason = "METHOD_CALL_FAILED";
  SetErrorInfo(status, info);
  return status;
}

class MethodServiceImpl final : public v1::MethodService::CallbackService {
 public:
  MethodServiceImpl(RegistryStore& registry, Commands& commands, size_t calls_max,
                    exec::ThreadPool& pool, ServiceMetrics& metrics)
      : registry_(registry),
        commands_(commands),
        calls_max_(calls_max),
        pool_(pool),
        metrics_(metrics) {}

  grpc::ServerUnaryReactor* CallMethod(grpc::CallbackServerContext* context,
                                       const v1::CallMethodRequest* request,
                                       v1::MethodCall* response) override {
    // As the caller set it: what a call without a deadline is given elsewhere is too short.
    const absl::Time deadline = rpc::DeadlineOf(*context);
    return rpc::RunAsync(context, [&](const rpc::CallScope& scope, Finish finish) {
      const absl::Duration left = deadline - absl::Now();
      absl::StatusOr<MethodSend> send = SendFrom(*request, left, NewCallId());
      if (!send.ok()) return finish(send.status());
      if (!Enter()) return finish(CallsFull(calls_max_));
      // Where the pool is full it drops the work: then there is nobody but this to answer.
      auto answer =
          std::make_shared<Finish>([this, finish = std::move(finish)](absl::Status status) mutable {
            Leave(status);
            finish(std::move(status));
          });
      const bool accepted =
          pool_.TrySubmit([this, scope, deadline, response, answer,
                           send = std::make_shared<MethodSend>(*std::move(send))] {
            Call(scope, deadline - absl::Now(), std::move(*send), *response, answer);
          });
      if (accepted) return;
      (*answer)(Error(absl::StatusCode::kResourceExhausted, "all workers are busy; try again later")
                    .Reason("SERVER_BUSY"));
    });
  }

  grpc::ServerUnaryReactor* GetMethodCall(grpc::CallbackServerContext* context,
                                          const v1::GetMethodCallRequest* request,
                                          v1::MethodCall* response) override {
    return rpc::RunUnary(
        context, pool_, [this, request, response](const rpc::CallScope& scope) -> absl::Status {
          SKERRY_ASSIGN_OR_RETURN(const MethodCallName name,
                                  ParseMethodCallResource("name", request->name()));
          SKERRY_ASSIGN_OR_RETURN(const std::string node, NodeOf(name.device, request->node()));
          SKERRY_ASSIGN_OR_RETURN(
              const Command command,
              commands_.Get(node, KeyPrefix(name.device) + name.call_id, TimeoutOf(scope)));
          *response = ToProto(name.device, command);
          return absl::OkStatus();
        });
  }

  grpc::ServerUnaryReactor* ListMethodCalls(grpc::CallbackServerContext* context,
                                            const v1::ListMethodCallsRequest* request,
                                            v1::ListMethodCallsResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope& scope) {
      return List(*request, scope, *response);
    });
  }

  grpc::ServerUnaryReactor* CancelMethodCall(grpc::CallbackServerContext* context,
                                             const v1::CancelMethodCallRequest* request,
                                             v1::MethodCall* response) override {
    return rpc::RunUnary(
        context, pool_, [this, request, response](const rpc::CallScope& scope) -> absl::Status {
          SKERRY_ASSIGN_OR_RETURN(const MethodCallName name,
                                  ParseMethodCallResource("name", request->name()));
          SKERRY_ASSIGN_OR_RETURN(const std::string node, NodeOf(name.device, request->node()));
          SKERRY_ASSIGN_OR_RETURN(
              const Command command,
              commands_.Cancel(node, KeyPrefix(name.device) + name.call_id, TimeoutOf(scope)));
          *response = ToProto(name.device, command);
          return absl::OkStatus();
        });
  }

 private:
  bool Enter() {
    const size_t under_way = ++calls_;
    metrics_.method_calls.Set(static_cast<double>(under_way));
    if (under_way <= calls_max_) return true;
    metrics_.method_calls.Set(static_cast<double>(--calls_));
    metrics_.method_calls_full.Increment();
    return false;
  }

  void Leave(const absl::Status& status) {
    (status.ok() ? metrics_.method_calls_answered : metrics_.method_calls_failed).Increment();
    metrics_.method_calls.Set(static_cast<double>(--calls_));
  }

  static absl::Duration TimeoutOf(const rpc::CallScope& scope) {
    return std::min(kHubTimeout, scope.deadline - absl::Now());
  }

  // On the pool.
  void Call(const rpc::CallScope& scope, absl::Duration left, MethodSend send,
            v1::MethodCall& response, const std::shared_ptr<Finish>& answer) {
    if (scope.IsCancelled()) return (*answer)(absl::CancelledError("the client is gone"));
    if (left <= absl::ZeroDuration())
      return (*answer)(absl::DeadlineExceededError("no worker was free in time"));
    const absl::StatusOr<std::optional<DeviceRecord>> record = registry_.Get(send.device);
    if (!record.ok()) return (*answer)(record.status());
    if (!record->has_value()) return (*answer)(DeviceUnknown(send.device));
    if (absl::Status refused = Refused(**record); !refused.ok())
      return (*answer)(std::move(refused));
    send.request.set_node((*record)->object.node);
    const Commands::Patience patience{.total = PatienceOf(send, left), .queued = send.wait};
    const std::string name = MethodCallResource(send.device, send.call_id);
    commands_.Send(
        std::move(send.request), patience,
        [device = send.device, name, &response, answer](const absl::StatusOr<Command>& command) {
          absl::Status error = command.ok() ? ErrorOf(*command) : command.status();
          if (!error.ok()) return (*answer)(WithName(std::move(error), name));
          response = ToProto(device, *command);
          (*answer)(absl::OkStatus());
        });
  }

  // `given`, or where the device is bound.
  absl::StatusOr<std::string> NodeOf(const DeviceName& device, const std::string& given) {
    if (!given.empty()) {
      if (NodeName::Parse(given).ok()) return given;
      return InvalidField("node", given.substr(0, 64), "give a node's name, or nothing");
    }
    SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> record, registry_.Get(device));
    if (!record.has_value()) return DeviceUnknown(device);
    if (!record->object.node.empty()) return record->object.node;
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("device ", device.value(),
                              " is bound to no node: give the one where it was called"))
        .Reason("DEVICE_UNBOUND")
        .Meta("device", device.value());
  }

  absl::Status List(const v1::ListMethodCallsRequest& request, const rpc::CallScope& scope,
                    v1::ListMethodCallsResponse& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device,
                            ParseDeviceResource("parent", request.parent()));
    SKERRY_ASSIGN_OR_RETURN(const size_t size, PageSize(request.page_size()));
    SKERRY_ASSIGN_OR_RETURN(const std::string node, NodeOf(device, request.node()));
    const std::string token_scope = TokenScope({"calls", request.parent(), request.node()});
    std::string after;
    if (!request.page_token().empty()) {
      SKERRY_ASSIGN_OR_RETURN(after, watch::DecodePageToken(request.page_token(), token_scope));
    }
    SKERRY_ASSIGN_OR_RETURN(const std::vector<Command> commands,
                            commands_.List(node, KeyPrefix(device), TimeoutOf(scope)));
    for (const Command& command : commands) {
      v1::MethodCall call = ToProto(device, command);
      const std::string id = call.name().substr(call.name().rfind('/') + 1);
      if (!after.empty() && id <= after) continue;
      if (static_cast<size_t>(response.method_calls_size()) == size) {
        response.set_next_page_token(watch::EncodePageToken(token_scope, after));
        break;
      }
      call.clear_result();  // The hubs' lists have none.
      *response.add_method_calls() = std::move(call);
      after = id;
    }
    return absl::OkStatus();
  }

  RegistryStore& registry_;
  Commands& commands_;
  const size_t calls_max_;
  exec::ThreadPool& pool_;
  ServiceMetrics& metrics_;
  std::atomic<size_t> calls_ = 0;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeMethodService(RegistryStore& registry, Commands& commands,
                                                 size_t calls_max, exec::ThreadPool& pool,
                                                 ServiceMetrics& metrics) {
  return std::make_unique<MethodServiceImpl>(registry, commands, calls_max, pool, metrics);
}

}  // namespace skerry::devicecontroller
