#include "services/edged-svc/adapters/cri_runtime.h"

#include <grpcpp/support/status.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/adapters/cri_config.h"
#include "services/edged-svc/adapters/cri_impl.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kSandboxTimeout = absl::Minutes(4);
constexpr absl::Duration kStreamTimeout = absl::Seconds(10);  // Somebody waits.
constexpr size_t kExecOutputMax = 64 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<CriRuntime>> CriRuntime::Create(const CriOptions& options) {
  auto impl = std::make_shared<Impl>();
  impl->options = options;
  rpc::ChannelOptions channel;
  channel.target = options.endpoint;
  channel.message_bytes_max = 16 << 20;
  channel.keepalive_interval = absl::InfiniteDuration();  // containerd takes pings for an attack.
  channel.backoff_max = absl::Seconds(1);  // A Unix socket on this box: no reason to wait long.
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> pods, rpc::MakeChannel(channel));
  impl->pods = cri::RuntimeService::NewStub(pods);
  if (!options.image_endpoint.empty() && options.image_endpoint != options.endpoint) {
    channel.target = options.image_endpoint;
    SKERRY_ASSIGN_OR_RETURN(pods, rpc::MakeChannel(channel));
  }
  impl->images = cri::ImageService::NewStub(pods);
  return std::unique_ptr<CriRuntime>(new CriRuntime(std::move(impl)));
}

CriRuntime::CriRuntime(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

CriRuntime::~CriRuntime() { EndCalls(); }

void CriRuntime::EndCalls() { impl_->calls.EndAll(); }

absl::Status CriRuntime::Impl::Unary(absl::Duration timeout,
                                     absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call) {
  return rpc::CallUnary(timeout, [&](grpc::ClientContext* context) {
    if (!calls.Open(context)) {
      return grpc::Status(grpc::StatusCode::CANCELLED, "the runtime is being closed");
    }
    grpc::Status status = call(context);
    calls.Close(context);
    return status;
  });
}

absl::StatusOr<RuntimeStatus> CriRuntime::Status() {
  cri::VersionResponse version;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(absl::Seconds(5), [&](grpc::ClientContext* context) {
    return impl_->pods->Version(context, cri::VersionRequest(), &version);
  }));
  cri::StatusResponse response;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(absl::Seconds(5), [&](grpc::ClientContext* context) {
    return impl_->pods->Status(context, cri::StatusRequest(), &response);
  }));
  RuntimeStatus out;
  out.name = version.runtime_name();
  out.version = version.runtime_version();
  for (const cri::RuntimeCondition& condition : response.status().conditions()) {
    if (condition.type() == "RuntimeReady") out.ready = condition.status();
    if (condition.type() == "NetworkReady") out.network_ready = condition.status();
    if (!condition.status() &&
        (condition.type() == "RuntimeReady" || condition.type() == "NetworkReady"))
      absl::StrAppend(&out.message, out.message.empty() ? "" : "; ", condition.type(),
                      "=false reason:", condition.reason(), " message:", condition.message());
  }
  return out;
}

absl::StatusOr<std::string> CriRuntime::RunSandbox(const SandboxConfig& config) {
  cri::RunPodSandboxRequest request;
  *request.mutable_config() = ToCri(config, impl_->options.owner);
  cri::RunPodSandboxResponse response;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kSandboxTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->RunPodSandbox(context, request, &response);
  }));
  return response.pod_sandbox_id();
}

absl::Status CriRuntime::StopSandbox(absl::string_view id) {
  cri::StopPodSandboxRequest request;
  request.set_pod_sandbox_id(std::string(id));
  cri::StopPodSandboxResponse response;
  return OkIfNotFound(impl_->Unary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->StopPodSandbox(context, request, &response);
  }));
}

absl::Status CriRuntime::RemoveSandbox(absl::string_view id) {
  cri::RemovePodSandboxRequest request;
  request.set_pod_sandbox_id(std::string(id));
  cri::RemovePodSandboxResponse response;
  return OkIfNotFound(impl_->Unary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->RemovePodSandbox(context, request, &response);
  }));
}

absl::StatusOr<std::string> CriRuntime::CreateContainer(absl::string_view sandbox_id,
                                                        const SandboxConfig& sandbox,
                                                        const ContainerConfig& config) {
  cri::CreateContainerRequest request;
  request.set_pod_sandbox_id(std::string(sandbox_id));
  *request.mutable_config() = ToCri(sandbox, config, impl_->options.owner);
  *request.mutable_sandbox_config() = ToCri(sandbox, impl_->options.owner);
  cri::CreateContainerResponse response;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->CreateContainer(context, request, &response);
  }));
  return response.container_id();
}

absl::Status CriRuntime::StartContainer(absl::string_view id) {
  cri::StartContainerRequest request;
  request.set_container_id(std::string(id));
  cri::StartContainerResponse response;
  return impl_->Unary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->StartContainer(context, request, &response);
  });
}

absl::Status CriRuntime::RemoveContainer(absl::string_view id) {
  cri::RemoveContainerRequest request;
  request.set_container_id(std::string(id));
  cri::RemoveContainerResponse response;
  return OkIfNotFound(impl_->Unary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->RemoveContainer(context, request, &response);
  }));
}

void CriRuntime::StopContainer(absl::string_view id, absl::Duration grace, Done done) {
  auto call = std::make_shared<Call<cri::StopContainerRequest, cri::StopContainerResponse>>();
  call->request.set_container_id(std::string(id));
  call->request.set_timeout(absl::ToInt64Seconds(absl::Ceil(grace, absl::Seconds(1))));
  call->context.set_deadline(rpc::DeadlineIn(grace + kCallTimeout));
  if (!impl_->calls.Open(&call->context))
    return done(absl::CancelledError("the runtime is being closed"));
  impl_->pods->async()->StopContainer(
      &call->context, &call->request, &call->response,
      [impl = impl_, call, done = std::make_shared<Done>(std::move(done))](grpc::Status status) {
        (*done)(OkIfNotFound(rpc::FromGrpc(status)));
        impl->calls.Close(&call->context);
      });
}

void CriRuntime::Exec(absl::string_view id, const std::vector<std::string>& command,
                      absl::Duration timeout,
                      absl::AnyInvocable<void(absl::StatusOr<ExecResult>)> done) {
  auto call = std::make_shared<Call<cri::ExecSyncRequest, cri::ExecSyncResponse>>();
  call->request.set_container_id(std::string(id));
  for (const std::string& word : command) call->request.add_cmd(word);
  call->request.set_timeout(absl::ToInt64Seconds(absl::Ceil(timeout, absl::Seconds(1))));
  // The runtime ends the command at the timeout; a little later the call itself is given up.
  call->context.set_deadline(rpc::DeadlineIn(timeout + absl::Seconds(5)));
  if (!impl_->calls.Open(&call->context))
    return done(absl::CancelledError("the runtime is being closed"));
  impl_->pods->async()->ExecSync(
      &call->context, &call->request, &call->response,
      [impl = impl_, call,
       done = std::make_shared<absl::AnyInvocable<void(absl::StatusOr<ExecResult>)>>(
           std::move(done))](grpc::Status status) {
        if (status.ok()) {
          ExecResult result{call->response.exit_code(),
                            call->response.stdout() + call->response.stderr()};
          if (result.output.size() > kExecOutputMax) result.output.resize(kExecOutputMax);
          (*done)(std::move(result));
        } else {
          (*done)(rpc::FromGrpc(status));
        }
        impl->calls.Close(&call->context);
      });
}

absl::Status CriRuntime::ReopenLog(absl::string_view id) {
  cri::ReopenContainerLogRequest request;
  request.set_container_id(std::string(id));
  cri::ReopenContainerLogResponse response;
  return impl_->Unary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->ReopenContainerLog(context, request, &response);
  });
}

absl::StatusOr<std::string> CriRuntime::OpenStream(const StreamRequest& request) {
  if (request.kind == StreamRequest::Kind::kPortForward) {
    cri::PortForwardRequest message;
    message.set_pod_sandbox_id(request.id);
    for (const int32_t port : request.ports) message.add_port(port);
    cri::PortForwardResponse response;
    SKERRY_RETURN_IF_ERROR(impl_->Unary(kStreamTimeout, [&](grpc::ClientContext* context) {
      return impl_->pods->PortForward(context, message, &response);
    }));
    return response.url();
  }
  if (request.kind == StreamRequest::Kind::kAttach) {
    cri::AttachRequest message;
    message.set_container_id(request.id);
    message.set_tty(request.tty);
    message.set_stdin(request.in);
    message.set_stdout(request.out);
    message.set_stderr(request.err);
    cri::AttachResponse response;
    SKERRY_RETURN_IF_ERROR(impl_->Unary(kStreamTimeout, [&](grpc::ClientContext* context) {
      return impl_->pods->Attach(context, message, &response);
    }));
    return response.url();
  }
  cri::ExecRequest message;
  message.set_container_id(request.id);
  for (const std::string& word : request.command) message.add_cmd(word);
  message.set_tty(request.tty);
  message.set_stdin(request.in);
  message.set_stdout(request.out);
  message.set_stderr(request.err);
  cri::ExecResponse response;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kStreamTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->Exec(context, message, &response);
  }));
  return response.url();
}

}  // namespace skerry::edged
