#include "tools/skerryctl/box_client.h"

#include "absl/strings/str_cat.h"
#include "api/skerry/edged/v1/edged_service.grpc.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"

namespace skerry::skerryctl {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(3);
constexpr int kPageSize = 500;

// A stub, or why there is none.
template <typename Service>
absl::StatusOr<std::unique_ptr<typename Service::Stub>> Connect(const std::string& run_dir,
                                                                absl::string_view socket) {
  SKERRY_ASSIGN_OR_RETURN(
      const std::shared_ptr<grpc::Channel> channel,
      rpc::MakeChannel({.target = absl::StrCat("unix:", run_dir, "/", socket)}));
  return Service::NewStub(channel);
}

// One call: a socket that nobody serves is an answer.
template <typename Response, typename Stub, typename Method, typename Request>
absl::StatusOr<Response> Call(const absl::StatusOr<std::unique_ptr<Stub>>& stub, Method method,
                              const Request& request) {
  if (!stub.ok()) return stub.status();
  Response response;
  SKERRY_RETURN_IF_ERROR(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    context->set_wait_for_ready(false);
    return (stub->get()->*method)(context, request, &response);
  }));
  return response;
}

// All pages; `entries` takes them out of an answer.
template <typename Response, typename Stub, typename Method, typename Request, typename Entries>
auto CallAll(const absl::StatusOr<std::unique_ptr<Stub>>& stub, Method method, Request request,
             Entries entries)
    -> absl::StatusOr<std::vector<
        typename std::decay_t<decltype(entries(std::declval<Response&>()))>::value_type>> {
  std::vector<typename std::decay_t<decltype(entries(std::declval<Response&>()))>::value_type> out;
  request.set_page_size(kPageSize);
  do {
    SKERRY_ASSIGN_OR_RETURN(Response response, Call<Response>(stub, method, request));
    for (auto& entry : entries(response)) out.push_back(std::move(entry));
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return out;
}

}  // namespace

struct BoxClient::Stubs {
  absl::StatusOr<std::unique_ptr<edgehub::v1::EdgeHubService::Stub>> hub;
  absl::StatusOr<std::unique_ptr<meta::v1::MetaService::Stub>> meta;
  absl::StatusOr<std::unique_ptr<edged::v1::EdgedService::Stub>> edged;
  absl::StatusOr<std::unique_ptr<twin::v1::TwinService::Stub>> twin;
};

BoxClient::BoxClient(const std::string& run_dir)
    : stubs_(new Stubs{Connect<edgehub::v1::EdgeHubService>(run_dir, "edgehub.sock"),
                       Connect<meta::v1::MetaService>(run_dir, "edge-meta.sock"),
                       Connect<edged::v1::EdgedService>(run_dir, "edged.sock"),
                       Connect<twin::v1::TwinService>(run_dir, "twin.sock")}) {}

BoxClient::~BoxClient() = default;

absl::StatusOr<edgehub::v1::EdgeHubStatus> BoxClient::GetHubStatus() {
  return Call<edgehub::v1::EdgeHubStatus>(
      stubs_->hub, &edgehub::v1::EdgeHubService::Stub::GetStatus, edgehub::v1::GetStatusRequest());
}

absl::StatusOr<meta::v1::MetaStatus> BoxClient::GetMetaStatus() {
  return Call<meta::v1::MetaStatus>(stubs_->meta, &meta::v1::MetaService::Stub::GetStatus,
                                    meta::v1::GetStatusRequest());
}

absl::StatusOr<meta::v1::Object> BoxClient::GetObject(const std::string& type,
                                                      const std::string& key) {
  meta::v1::GetObjectRequest request;
  request.set_type(type);
  request.set_key(key);
  return Call<meta::v1::Object>(stubs_->meta, &meta::v1::MetaService::Stub::GetObject, request);
}

absl::StatusOr<std::vector<meta::v1::Object>> BoxClient::ListObjects(
    const std::string& type, const std::string& name_space) {
  meta::v1::ListObjectsRequest request;
  request.set_type(type);
  request.set_namespace_(name_space);
  return CallAll<meta::v1::ListObjectsResponse>(
      stubs_->meta, &meta::v1::MetaService::Stub::ListObjects, std::move(request),
      [](meta::v1::ListObjectsResponse & page) -> auto& { return *page.mutable_objects(); });
}

absl::StatusOr<edged::v1::EdgedStatus> BoxClient::GetEdgedStatus() {
  return Call<edged::v1::EdgedStatus>(stubs_->edged, &edged::v1::EdgedService::Stub::GetStatus,
                                      edged::v1::GetStatusRequest());
}

absl::StatusOr<std::vector<edged::v1::RunningPod>> BoxClient::ListPods() {
  return CallAll<edged::v1::ListPodsResponse>(
      stubs_->edged, &edged::v1::EdgedService::Stub::ListPods, edged::v1::ListPodsRequest(),
      [](edged::v1::ListPodsResponse & page) -> auto& { return *page.mutable_pods(); });
}

absl::StatusOr<std::vector<twin::v1::Twin>> BoxClient::ListTwins(const std::string& name_space) {
  twin::v1::ListTwinsRequest request;
  request.set_namespace_(name_space);
  return CallAll<twin::v1::ListTwinsResponse>(
      stubs_->twin, &twin::v1::TwinService::Stub::ListTwins, std::move(request),
      [](twin::v1::ListTwinsResponse & page) -> auto& { return *page.mutable_twins(); });
}

}  // namespace skerry::skerryctl
