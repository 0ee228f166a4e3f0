// In one piece: every method is one call of CRI, over the same connection and cache.
#include "services/edged-svc/adapters/cri_runtime.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/runtime/v1/runtime.grpc.pb.h"
#include "services/edged-svc/adapters/cri_config.h"
#include "services/edged-svc/adapters/open_calls.h"
#include "services/edged-svc/core/pod_order.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edged {
namespace {

namespace cri = runtime::v1;

// As the kubelet's: 2 min for most, twice that where the network is set up.
constexpr absl::Duration kCallTimeout = absl::Minutes(2);
constexpr absl::Duration kSandboxTimeout = absl::Minutes(4);
constexpr absl::Duration kListTimeout = absl::Seconds(30);
constexpr absl::Duration kPullTimeout = absl::Minutes(30);
constexpr absl::Duration kStreamTimeout = absl::Seconds(10);  // Somebody waits.
constexpr size_t kExecOutputMax = 64 << 10;

absl::Time FromNanos(int64_t nanos) {
  return nanos <= 0 ? absl::UnixEpoch() : absl::FromUnixNanos(nanos);
}

absl::Status OkIfNotFound(absl::Status status) {
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

std::string Label(const google::protobuf::Map<std::string, std::string>& map, const char* key) {
  const auto it = map.find(key);
  return it == map.end() ? "" : it->second;
}

ContainerView::State StateOf(cri::ContainerState state) {
  switch (state) {
    case cri::CONTAINER_CREATED:
      return ContainerView::State::kCreated;
    case cri::CONTAINER_RUNNING:
      return ContainerView::State::kRunning;
    case cri::CONTAINER_EXITED:
      return ContainerView::State::kExited;
    default:
      return ContainerView::State::kUnknown;
  }
}

}  // namespace

struct CriRuntime::Impl {
  CriOptions options;
  std::unique_ptr<cri::RuntimeService::Stub> pods;
  std::unique_ptr<cri::ImageService::Stub> images;

  absl::Mutex mutex;
  std::map<std::string, ContainerView> details ABSL_GUARDED_BY(mutex);  // By container id.
  std::map<std::string, std::vector<std::string>> addresses
      ABSL_GUARDED_BY(mutex);  // By sandbox id.
  OpenCalls calls;

  absl::StatusOr<ContainerView> Inspect(const cri::Container& listed);
  absl::StatusOr<std::vector<std::string>> Addresses(const std::string& sandbox_id);
  // Names and ids of images by which containers call them.
  absl::StatusOr<std::set<std::string>> ImagesInUse();
  // Empty: unknown, or it is not on this box.
  absl::StatusOr<std::string> SandboxImageId(CriRuntime& runtime);
};

namespace {

// One call in the background: its messages live until it has ended.
template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
};

}  // namespace

absl::StatusOr<ContainerView> CriRuntime::Impl::Inspect(const cri::Container& listed) {
  const ContainerView::State state = StateOf(listed.state());
  {
    absl::MutexLock lock(&mutex);
    const auto it = details.find(listed.id());
    if (it != details.end() && it->second.state == state) return it->second;
  }
  cri::ContainerStatusRequest request;
  request.set_container_id(listed.id());
  cri::ContainerStatusResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return pods->ContainerStatus(context, request, &response);
  }));
  const cri::ContainerStatus& status = response.status();
  ContainerView c;
  c.id = listed.id();
  c.sandbox_id = listed.pod_sandbox_id();
  c.name = Label(listed.labels(), kLabelContainer);
  c.state = StateOf(status.state());
  c.spec_hash = Label(listed.annotations(), kAnnotationHash);
  if (!absl::SimpleAtoi(Label(listed.annotations(), kAnnotationRestarts), &c.restart_count))
    c.restart_count = static_cast<int32_t>(listed.metadata().attempt());
  c.image = status.image().image();
  c.image_id = status.image_ref();
  c.created = FromNanos(status.created_at());
  c.started = FromNanos(status.started_at());
  // containerd notes the start after the process runs: one that ends at once would end before it
  // began.
  c.finished = FromNanos(
      status.finished_at() == 0 ? 0 : std::max(status.finished_at(), status.started_at()));
  c.exit_code = status.exit_code();
  c.reason = status.reason();
  c.message = status.message();
  c.log_path = status.log_path();
  absl::MutexLock lock(&mutex);
  details[c.id] = c;
  return c;
}

absl::StatusOr<std::vector<std::string>> CriRuntime::Impl::Addresses(
    const std::string& sandbox_id) {
  {
    absl::MutexLock lock(&mutex);
    if (const auto it = addresses.find(sandbox_id); it != addresses.end()) return it->second;
  }
  cri::PodSandboxStatusRequest request;
  request.set_pod_sandbox_id(sandbox_id);
  cri::PodSandboxStatusResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return pods->PodSandboxStatus(context, request, &response);
  }));
  std::vector<std::string> out;
  const cri::PodSandboxNetworkStatus& network = response.status().network();
  if (!network.ip().empty()) out.push_back(network.ip());
  for (const cri::PodIP& ip : network.additional_ips()) out.push_back(ip.ip());
  absl::MutexLock lock(&mutex);
  addresses[sandbox_id] = out;
  return out;
}

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

CriRuntime::~CriRuntime() { impl_->calls.EndAll(); }

absl::StatusOr<RuntimeStatus> CriRuntime::Status() {
  cri::VersionResponse version;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
    return impl_->pods->Version(context, cri::VersionRequest(), &version);
  }));
  cri::StatusResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
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

absl::StatusOr<std::vector<PodView>> CriRuntime::ListPods() {
  cri::ListPodSandboxRequest sandboxes_request;
  (*sandboxes_request.mutable_filter()->mutable_label_selector())[kLabelOwner] =
      impl_->options.owner;
  cri::ListPodSandboxResponse sandboxes;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->ListPodSandbox(context, sandboxes_request, &sandboxes);
  }));
  cri::ListContainersRequest containers_request;
  (*containers_request.mutable_filter()->mutable_label_selector())[kLabelOwner] =
      impl_->options.owner;
  cri::ListContainersResponse containers;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->ListContainers(context, containers_request, &containers);
  }));

  std::map<std::string, PodView> pods;  // By uid.
  std::set<std::string> seen;
  const auto pod_of = [&](const auto& labels) -> PodView& {
    PodView& pod = pods[Label(labels, kLabelPodUid)];
    pod.uid = Label(labels, kLabelPodUid);
    pod.name_space = Label(labels, kLabelPodNamespace);
    pod.name = Label(labels, kLabelPodName);
    return pod;
  };
  for (const cri::PodSandbox& listed : sandboxes.items()) {
    SandboxView sandbox{listed.id(),
                        listed.metadata().attempt(),
                        listed.state() == cri::SANDBOX_READY,
                        FromNanos(listed.created_at()),
                        {}};
    seen.insert(listed.id());
    if (sandbox.ready) {
      absl::StatusOr<std::vector<std::string>> addresses = impl_->Addresses(listed.id());
      if (absl::IsNotFound(addresses.status())) continue;  // Removed since the list was made.
      SKERRY_RETURN_IF_ERROR(addresses.status());
      sandbox.addresses = *std::move(addresses);
    }
    pod_of(listed.labels()).sandboxes.push_back(std::move(sandbox));
  }
  for (const cri::Container& listed : containers.containers()) {
    absl::StatusOr<ContainerView> container = impl_->Inspect(listed);
    if (absl::IsNotFound(container.status())) continue;
    SKERRY_RETURN_IF_ERROR(container.status());
    seen.insert(listed.id());
    pod_of(listed.labels()).containers.push_back(*std::move(container));
  }
  {
    absl::MutexLock lock(&impl_->mutex);
    std::erase_if(impl_->details, [&](const auto& entry) { return !seen.contains(entry.first); });
    std::erase_if(impl_->addresses, [&](const auto& entry) { return !seen.contains(entry.first); });
  }
  std::vector<PodView> out;
  for (auto& [uid, pod] : pods) {
    SortNewestFirst(pod);
    out.push_back(std::move(pod));
  }
  return out;
}

absl::StatusOr<std::string> CriRuntime::RunSandbox(const SandboxConfig& config) {
  cri::RunPodSandboxRequest request;
  *request.mutable_config() = ToCri(config, impl_->options.owner);
  cri::RunPodSandboxResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kSandboxTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->RunPodSandbox(context, request, &response);
  }));
  return response.pod_sandbox_id();
}

absl::Status CriRuntime::StopSandbox(absl::string_view id) {
  cri::StopPodSandboxRequest request;
  request.set_pod_sandbox_id(std::string(id));
  cri::StopPodSandboxResponse response;
  return OkIfNotFound(rpc::CallUnary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->StopPodSandbox(context, request, &response);
  }));
}

absl::Status CriRuntime::RemoveSandbox(absl::string_view id) {
  cri::RemovePodSandboxRequest request;
  request.set_pod_sandbox_id(std::string(id));
  cri::RemovePodSandboxResponse response;
  return OkIfNotFound(rpc::CallUnary(kCallTimeout, [&](grpc::ClientContext* context) {
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
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->CreateContainer(context, request, &response);
  }));
  return response.container_id();
}

absl::Status CriRuntime::StartContainer(absl::string_view id) {
  cri::StartContainerRequest request;
  request.set_container_id(std::string(id));
  cri::StartContainerResponse response;
  return rpc::CallUnary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->StartContainer(context, request, &response);
  });
}

absl::Status CriRuntime::RemoveContainer(absl::string_view id) {
  cri::RemoveContainerRequest request;
  request.set_container_id(std::string(id));
  cri::RemoveContainerResponse response;
  return OkIfNotFound(rpc::CallUnary(kCallTimeout, [&](grpc::ClientContext* context) {
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
  return rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->ReopenContainerLog(context, request, &response);
  });
}

absl::StatusOr<std::string> CriRuntime::OpenStream(const StreamRequest& request) {
  if (request.kind == StreamRequest::Kind::kPortForward) {
    cri::PortForwardRequest message;
    message.set_pod_sandbox_id(request.id);
    for (const int32_t port : request.ports) message.add_port(port);
    cri::PortForwardResponse response;
    SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kStreamTimeout, [&](grpc::ClientContext* context) {
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
    SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kStreamTimeout, [&](grpc::ClientContext* context) {
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
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kStreamTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->Exec(context, message, &response);
  }));
  return response.url();
}

absl::StatusOr<std::optional<ImageView>> CriRuntime::FindImage(absl::string_view image) {
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(std::string(image));
  cri::ImageStatusResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->images->ImageStatus(context, request, &response);
  }));
  if (!response.has_image() || response.image().id().empty()) return std::nullopt;
  ImageView view;
  view.id = response.image().id();
  if (response.image().has_uid()) view.uid = response.image().uid().value();
  view.username = response.image().username();
  return view;
}

void CriRuntime::PullImage(absl::string_view image, std::vector<RegistryAuth> auths, Done done) {
  auto call = std::make_shared<Call<cri::PullImageRequest, cri::PullImageResponse>>();
  call->request.mutable_image()->set_image(std::string(image));
  std::vector<RegistryAuth> rest;
  if (!auths.empty()) {
    auto* auth = call->request.mutable_auth();
    auth->set_username(auths.front().username);
    auth->set_password(auths.front().password);
    auth->set_identity_token(auths.front().identity_token);
    auth->set_server_address(auths.front().server);
    rest.assign(std::make_move_iterator(auths.begin() + 1), std::make_move_iterator(auths.end()));
  }
  call->context.set_deadline(rpc::DeadlineIn(kPullTimeout));
  if (!impl_->calls.Open(&call->context))
    return done(absl::CancelledError("the runtime is being closed"));
  impl_->images->async()->PullImage(
      &call->context, &call->request, &call->response,
      [this, impl = impl_, call, name = std::string(image), rest = std::move(rest),
       done = std::make_shared<Done>(std::move(done))](grpc::Status status) mutable {
        if (!status.ok() && !rest.empty()) {
          PullImage(name, std::move(rest), std::move(*done));
        } else {
          (*done)(rpc::FromGrpc(status));
        }
        impl->calls.Close(&call->context);
      });
}

absl::StatusOr<std::set<std::string>> CriRuntime::Impl::ImagesInUse() {
  cri::ListContainersResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return pods->ListContainers(context, cri::ListContainersRequest(), &response);
  }));
  std::set<std::string> out;
  for (const cri::Container& container : response.containers())
    out.insert({container.image_id(), container.image_ref(), container.image().image()});
  return out;
}

absl::StatusOr<std::string> CriRuntime::Impl::SandboxImageId(CriRuntime& runtime) {
  std::string name = options.sandbox_image;
  if (name.empty()) {
    cri::StatusRequest request;
    request.set_verbose(true);
    cri::StatusResponse response;
    SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
      return pods->Status(context, request, &response);
    }));
    name = SandboxImage(response);
  }
  if (name.empty()) return "";
  SKERRY_ASSIGN_OR_RETURN(const std::optional<ImageView> image, runtime.FindImage(name));
  return image.has_value() ? image->id : "";
}

absl::StatusOr<std::vector<StoredImage>> CriRuntime::ListImages() {
  cri::ListImagesResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->images->ListImages(context, cri::ListImagesRequest(), &response);
  }));
  // After the images: a container that is made meanwhile is seen.
  SKERRY_ASSIGN_OR_RETURN(const std::set<std::string> in_use, impl_->ImagesInUse());
  SKERRY_ASSIGN_OR_RETURN(const std::string sandbox_image, impl_->SandboxImageId(*this));
  std::vector<StoredImage> out;
  for (const cri::Image& listed : response.images()) {
    StoredImage& image = out.emplace_back();
    image.id = listed.id();
    image.names.assign(listed.repo_tags().begin(), listed.repo_tags().end());
    image.names.insert(image.names.end(), listed.repo_digests().begin(),
                       listed.repo_digests().end());
    image.size_bytes = static_cast<int64_t>(listed.size());
    image.pinned = listed.pinned() || image.id == sandbox_image;
    image.used = in_use.contains(image.id) ||
                 std::any_of(image.names.begin(), image.names.end(),
                             [&](const std::string& name) { return in_use.contains(name); });
  }
  return out;
}

absl::Status CriRuntime::RemoveImage(absl::string_view id) {
  cri::RemoveImageRequest request;
  request.mutable_image()->set_image(std::string(id));
  cri::RemoveImageResponse response;
  return OkIfNotFound(rpc::CallUnary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->images->RemoveImage(context, request, &response);
  }));
}

absl::StatusOr<std::string> CriRuntime::ImageFolder() {
  cri::ImageFsInfoResponse response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->images->ImageFsInfo(context, cri::ImageFsInfoRequest(), &response);
  }));
  if (response.image_filesystems().empty())
    return absl::UnavailableError("the runtime names no file system for images");
  return response.image_filesystems(0).fs_id().mountpoint();
}

}  // namespace skerry::edged
