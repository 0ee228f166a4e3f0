// What runs: CriRuntime's lists, with the details of containers that are kept between them.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "services/edged-svc/adapters/cri_config.h"
#include "services/edged-svc/adapters/cri_impl.h"
#include "services/edged-svc/core/pod_order.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

absl::Time FromNanos(int64_t nanos) {
  return nanos <= 0 ? absl::UnixEpoch() : absl::FromUnixNanos(nanos);
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
  SKERRY_RETURN_IF_ERROR(Unary(kListTimeout, [&](grpc::ClientContext* context) {
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
  SKERRY_RETURN_IF_ERROR(Unary(kListTimeout, [&](grpc::ClientContext* context) {
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

absl::StatusOr<std::vector<PodView>> CriRuntime::ListPods() {
  cri::ListPodSandboxRequest sandboxes_request;
  (*sandboxes_request.mutable_filter()->mutable_label_selector())[kLabelOwner] =
      impl_->options.owner;
  cri::ListPodSandboxResponse sandboxes;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->pods->ListPodSandbox(context, sandboxes_request, &sandboxes);
  }));
  cri::ListContainersRequest containers_request;
  (*containers_request.mutable_filter()->mutable_label_selector())[kLabelOwner] =
      impl_->options.owner;
  cri::ListContainersResponse containers;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kListTimeout, [&](grpc::ClientContext* context) {
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

}  // namespace skerry::edged
