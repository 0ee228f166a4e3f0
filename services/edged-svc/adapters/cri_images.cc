// Images of a runtime behind CRI.
#include <grpcpp/support/status.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "services/edged-svc/adapters/cri_config.h"
#include "services/edged-svc/adapters/cri_impl.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kPullTimeout = absl::Minutes(30);

}  // namespace

absl::StatusOr<std::optional<ImageView>> CriRuntime::FindImage(absl::string_view image) {
  cri::ImageStatusRequest request;
  request.mutable_image()->set_image(std::string(image));
  cri::ImageStatusResponse response;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kListTimeout, [&](grpc::ClientContext* context) {
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
  SKERRY_RETURN_IF_ERROR(Unary(kListTimeout, [&](grpc::ClientContext* context) {
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
    SKERRY_RETURN_IF_ERROR(Unary(kListTimeout, [&](grpc::ClientContext* context) {
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
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kListTimeout, [&](grpc::ClientContext* context) {
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
  return OkIfNotFound(impl_->Unary(kCallTimeout, [&](grpc::ClientContext* context) {
    return impl_->images->RemoveImage(context, request, &response);
  }));
}

absl::StatusOr<std::string> CriRuntime::ImageFolder() {
  cri::ImageFsInfoResponse response;
  SKERRY_RETURN_IF_ERROR(impl_->Unary(kListTimeout, [&](grpc::ClientContext* context) {
    return impl_->images->ImageFsInfo(context, cri::ImageFsInfoRequest(), &response);
  }));
  if (response.image_filesystems().empty())
    return absl::UnavailableError("the runtime names no file system for images");
  return response.image_filesystems(0).fs_id().mountpoint();
}

}  // namespace skerry::edged
