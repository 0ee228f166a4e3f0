#include "services/edge-meta-svc/service.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edge-meta-svc/object_proto.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::edgemeta {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr size_t kPageBytesMax = 2u << 20;  // With one object beyond it, still below gRPC's 4 MiB.
constexpr size_t kReportBytesMax = 3u << 19;  // 1.5 MiB.
constexpr size_t kWatchPendingBytesMax = 8u << 20;

}  // namespace

MetaServiceImpl::MetaServiceImpl(Types types, Neighbours neighbours, MetaStore& store,
                                 WatchServer& watches, exec::ThreadPool& pool, Clock& clock,
                                 MetaMetrics& metrics)
    : types_(std::move(types)),
      neighbours_(std::move(neighbours)),
      store_(store),
      watches_(watches),
      pool_(pool),
      clock_(clock),
      metrics_(metrics) {}

grpc::ServerUnaryReactor* MetaServiceImpl::GetObject(grpc::CallbackServerContext* context,
                                                     const meta::v1::GetObjectRequest* request,
                                                     meta::v1::Object* response) {
  return rpc::RunUnary(
      context, pool_, [this, request, response](const rpc::CallScope&) -> absl::Status {
        SKERRY_RETURN_IF_ERROR(ResourceType::Parse(request->type()).status());
        SKERRY_RETURN_IF_ERROR(ObjectKey::Parse(request->key()).status());
        SKERRY_ASSIGN_OR_RETURN(watch::Change object, store_.Get(request->type(), request->key()));
        FillObject(object, *response);
        return absl::OkStatus();
      });
}

grpc::ServerUnaryReactor* MetaServiceImpl::ListObjects(grpc::CallbackServerContext* context,
                                                       const meta::v1::ListObjectsRequest* request,
                                                       meta::v1::ListObjectsResponse* response) {
  return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
    return FillList(*request, *response);
  });
}

grpc::ServerWriteReactor<meta::v1::WatchObjectsResponse>* MetaServiceImpl::WatchObjects(
    grpc::CallbackServerContext* context, const meta::v1::WatchObjectsRequest* request) {
  rpc::StreamOptions options{.pending_bytes_max = kWatchPendingBytesMax};
  return rpc::AcceptWriter<meta::v1::WatchObjectsResponse>(
      context, options,
      [this, request](const rpc::CallScope&, std::shared_ptr<WatchServer::ResponseStream> stream) {
        return watches_.Open(*request, std::move(stream));
      });
}

grpc::ServerUnaryReactor* MetaServiceImpl::PutReport(grpc::CallbackServerContext* context,
                                                     const meta::v1::PutReportRequest* request,
                                                     meta::v1::PutReportResponse*) {
  return rpc::RunUnary(context, pool_,
                       [this, request](const rpc::CallScope&) { return StoreReport(*request); });
}

grpc::ServerUnaryReactor* MetaServiceImpl::GetStatus(grpc::CallbackServerContext* context,
                                                     const meta::v1::GetStatusRequest*,
                                                     meta::v1::MetaStatus* response) {
  return rpc::RunUnary(context, pool_,
                       [this, response](const rpc::CallScope&) { return FillStatus(*response); });
}

absl::Status MetaServiceImpl::FillList(const meta::v1::ListObjectsRequest& request,
                                       meta::v1::ListObjectsResponse& response) {
  SKERRY_RETURN_IF_ERROR(ResourceType::Parse(request.type()).status());
  if (!request.namespace_().empty() && !IsDns1123Label(request.namespace_())) {
    return InvalidField("namespace", request.namespace_(),
                        "give a namespace's name, or nothing for all");
  }
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat(request.page_size()),
                        "give 0 for 50, or up to 1000");
  }
  const int size =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  const std::string scope = absl::StrCat(request.type(), "/", request.namespace_());
  std::string after;
  if (!request.page_token().empty()) {
    SKERRY_ASSIGN_OR_RETURN(after, watch::DecodePageToken(request.page_token(), scope));
  }
  // Before the read: a change between the two is seen again by a watch from here, never missed.
  response.set_revision(store_.Revision());
  SKERRY_ASSIGN_OR_RETURN(std::vector<watch::Change> page,
                          store_.List(request.type(), request.namespace_(), after,
                                      static_cast<size_t>(size) + 1, kPageBytesMax));
  bool more = page.size() > static_cast<size_t>(size);
  if (more) page.pop_back();
  if (!more && !page.empty()) {  // The byte bound may have ended the page.
    SKERRY_ASSIGN_OR_RETURN(
        std::vector<watch::Change> next,
        store_.List(request.type(), request.namespace_(), page.back().key, 1, 0));
    more = !next.empty();
  }
  for (const watch::Change& object : page) FillObject(object, *response.add_objects());
  if (more) response.set_next_page_token(watch::EncodePageToken(scope, page.back().key));
  return absl::OkStatus();
}

absl::Status MetaServiceImpl::StoreReport(const meta::v1::PutReportRequest& request) {
  if (types_.reports.count(request.type()) == 0) {
    return Error(absl::StatusCode::kInvalidArgument, "reports of this type are not taken here")
        .Reason("REPORT_TYPE_UNKNOWN")
        .Meta("type", request.type());
  }
  SKERRY_RETURN_IF_ERROR(ObjectKey::Parse(request.key()).status());
  if (request.value().size() > kReportBytesMax) {
    return Error(absl::StatusCode::kInvalidArgument, "the value has more than 1.5 MiB")
        .Reason("REPORT_TOO_BIG");
  }
  Report report{.type = request.type(),
                .key = request.key(),
                .generation = request.generation(),
                .value = request.value()};
  SKERRY_ASSIGN_OR_RETURN(PutOutcome outcome, store_.PutReport(std::move(report), clock_.Now()));
  (outcome == PutOutcome::kStored ? metrics_.reports_stored : metrics_.reports_replaced)
      .Increment();
  neighbours_.reports_changed();
  return absl::OkStatus();
}

absl::Status MetaServiceImpl::FillStatus(meta::v1::MetaStatus& status) {
  for (const std::string& type : types_.resources) {
    SKERRY_ASSIGN_OR_RETURN(TypeState state, store_.StateOf(type));
    meta::v1::MetaStatus::TypeStatus& out = *status.add_types();
    out.set_type(type);
    out.set_objects(state.objects);
    out.set_synced_once(state.last_synced.has_value());
    if (state.last_synced.has_value())
      *out.mutable_last_synced_time() = rpc::ToProto(*state.last_synced);
    *out.mutable_behind() =
        TimeUtil::MicrosecondsToDuration(absl::ToInt64Microseconds(neighbours_.behind(type)));
  }
  SKERRY_ASSIGN_OR_RETURN(int64_t reports, store_.CountReports());
  status.set_unsent_reports(reports);
  status.set_revision(store_.Revision());
  status.set_edgehub_attached(neighbours_.attached());
  return absl::OkStatus();
}

}  // namespace skerry::edgemeta
