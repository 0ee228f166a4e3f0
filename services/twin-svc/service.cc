#include "services/twin-svc/service.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {
namespace {

constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr size_t kPageBytesMax = 2u << 20;  // With one twin beyond it, still below gRPC's 4 MiB.
constexpr size_t kWatchPendingBytesMax = 8u << 20;
constexpr size_t kIdBytesMax = 128;
constexpr size_t kWriterBytesMax = 253;
constexpr size_t kMetadataBytesMax = 8u << 10;

using Metadata = google::protobuf::Map<std::string, std::string>;

absl::StatusOr<Value> ValueFrom(absl::string_view field, const std::string& value,
                                const Metadata& metadata, const std::string& writer,
                                absl::Time now) {
  size_t bytes = 0;
  for (const auto& [key, text] : metadata) bytes += key.size() + text.size();
  if (bytes > kMetadataBytesMax) {
    return InvalidField(absl::StrCat(field, ".metadata"), absl::StrCat(bytes, " bytes"),
                        absl::StrCat("give at most ", kMetadataBytesMax));
  }
  return Value{.value = value,
               .metadata = {metadata.begin(), metadata.end()},
               .writer = writer,
               .time = now};
}

}  // namespace

absl::StatusOr<Write> WriteFrom(const v1::WriteTwinRequest& request, absl::Time now) {
  if (request.request_id().size() > kIdBytesMax) {
    return InvalidField("request_id", request.request_id().substr(0, kIdBytesMax),
                        absl::StrCat("give at most ", kIdBytesMax, " bytes"));
  }
  if (request.writer().empty() || request.writer().size() > kWriterBytesMax ||
      request.writer() == "cloud") {
    return InvalidField("writer", request.writer().substr(0, kWriterBytesMax),
                        "give 1 to 253 bytes that say who writes, but not 'cloud'");
  }
  Write write{.id = request.request_id(),
              .expected_versions = {request.expected_versions().begin(),
                                    request.expected_versions().end()}};
  for (const auto& [name, desired] : request.desired()) {
    const std::string field = absl::StrCat("desired[", name.substr(0, kIdBytesMax), "]");
    switch (desired.to_case()) {
      case v1::WriteTwinRequest::Desired::kValue: {
        SKERRY_ASSIGN_OR_RETURN(
            write.desired[name],
            ValueFrom(field, desired.value(), desired.metadata(), request.writer(), now));
        break;
      }
      case v1::WriteTwinRequest::Desired::kCloud:
        if (!desired.cloud())
          return InvalidField(field + ".cloud", "false", "give true, or a value");
        write.desired[name] = std::nullopt;
        break;
      default:
        return InvalidField(field, "nothing", "give a value, or cloud");
    }
  }
  for (const auto& [name, reported] : request.reported()) {
    SKERRY_ASSIGN_OR_RETURN(
        write.reported[name],
        ValueFrom(absl::StrCat("reported[", name.substr(0, kIdBytesMax), "]"), reported.value(),
                  reported.metadata(), request.writer(), now));
  }
  return write;
}

grpc::ServerUnaryReactor* TwinServiceImpl::GetTwin(grpc::CallbackServerContext* context,
                                                   const v1::GetTwinRequest* request,
                                                   v1::Twin* response) {
  return rpc::RunAsync(
      context, [&](const rpc::CallScope&, auto finish) { finish(FillTwin(*request, *response)); });
}

grpc::ServerUnaryReactor* TwinServiceImpl::ListTwins(grpc::CallbackServerContext* context,
                                                     const v1::ListTwinsRequest* request,
                                                     v1::ListTwinsResponse* response) {
  return rpc::RunAsync(
      context, [&](const rpc::CallScope&, auto finish) { finish(FillList(*request, *response)); });
}

grpc::ServerUnaryReactor* TwinServiceImpl::WriteTwin(grpc::CallbackServerContext* context,
                                                     const v1::WriteTwinRequest* request,
                                                     v1::WriteTwinResponse* response) {
  return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
    const absl::StatusOr<DeviceName> device = DeviceOf("name", request->name());
    if (!device.ok()) return finish(device.status());
    absl::StatusOr<Write> write = WriteFrom(*request, clock_.Now());
    if (!write.ok()) return finish(write.status());
    desk_.Submit(*device, *std::move(write), request->whole_answer(),
                 [device = *device, response,
                  finish = std::move(finish)](absl::StatusOr<Written> written) mutable {
                   if (!written.ok()) return finish(written.status());
                   *response->mutable_before() = ToProto(device, written->before);
                   *response->mutable_after() = ToProto(device, written->after);
                   finish(absl::OkStatus());
                 });
  });
}

grpc::ServerWriteReactor<v1::WatchTwinsResponse>* TwinServiceImpl::WatchTwins(
    grpc::CallbackServerContext* context, const v1::WatchTwinsRequest* request) {
  return rpc::AcceptWriter<v1::WatchTwinsResponse>(
      context, {.pending_bytes_max = kWatchPendingBytesMax},
      [this, request](const rpc::CallScope&, std::shared_ptr<TwinWatches::ResponseStream> stream) {
        return watches_.Open(*request, std::move(stream));
      });
}

absl::Status TwinServiceImpl::FillTwin(const v1::GetTwinRequest& request,
                                       v1::Twin& response) const {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName device, DeviceOf("name", request.name()));
  SKERRY_ASSIGN_OR_RETURN(const TwinPtr twin, desk_.Get(device));
  response = ToProto(device, *twin);
  return absl::OkStatus();
}

absl::Status TwinServiceImpl::FillList(const v1::ListTwinsRequest& request,
                                       v1::ListTwinsResponse& response) const {
  if (!request.namespace_().empty() && !IsDns1123Label(request.namespace_())) {
    return InvalidField("namespace", request.namespace_().substr(0, kIdBytesMax),
                        "give a namespace's name, or nothing for all");
  }
  if (request.page_size() < 0) {
    return InvalidField("page_size", absl::StrCat(request.page_size()),
                        "give 0 for 50, or up to 1000");
  }
  const int size =
      request.page_size() == 0 ? kPageSizeDefault : std::min(request.page_size(), kPageSizeMax);
  const std::string scope = absl::StrCat("twins/", request.namespace_());
  std::optional<DeviceName> after;
  if (!request.page_token().empty()) {
    SKERRY_ASSIGN_OR_RETURN(const std::string key,
                            watch::DecodePageToken(request.page_token(), scope));
    SKERRY_ASSIGN_OR_RETURN(after, DeviceName::Parse(key));
  }
  const auto page = desk_.List(request.namespace_(), after, static_cast<size_t>(size) + 1);
  size_t bytes = 0;
  for (const auto& [device, twin] : page) {
    if (response.twins_size() == size || bytes > kPageBytesMax) {
      response.set_next_page_token(watch::EncodePageToken(scope, after->value()));
      break;
    }
    *response.add_twins() = ToProto(device, *twin);
    bytes += response.twins().rbegin()->ByteSizeLong();
    after = device;
  }
  return absl::OkStatus();
}

}  // namespace skerry::twin
