#include "services/twin-svc/service.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/rpc/server_writer.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"
#include "services/twin-svc/service_requests.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {
namespace {

constexpr int kPageSizeDefault = 50;
constexpr int kPageSizeMax = 1000;
constexpr size_t kPageBytesMax = 2u << 20;  // With one twin beyond it, still below gRPC's 4 MiB.
constexpr size_t kWatchPendingBytesMax = 8u << 20;
constexpr size_t kShownMax = 128;

constexpr int kBatchMax = 256;
constexpr size_t kBatchAnswerBytesMax = 2u << 20;  // Or of one write.

absl::Status AnswerFull() {
  return Error(absl::StatusCode::kResourceExhausted,
               "the answers to the writes before it fill the message: send it in a further call")
      .Reason("ANSWER_FULL");
}

// A call that ends with the last of its writes.
class OpenBatch {
 public:
  OpenBatch(int count, absl::AnyInvocable<void(absl::Status)> finish)
      : open_(count), finish_(std::move(finish)) {}
  void EndOne() {
    if (--open_ == 0) finish_(absl::OkStatus());
  }

 private:
  std::atomic<int> open_;
  absl::AnyInvocable<void(absl::Status)> finish_;
};

// 0 is the default; more than the most is the most.
absl::StatusOr<int> PageSizeOf(int32_t asked) {
  if (asked < 0) {
    return InvalidField("page_size", absl::StrCat(asked), "give 0 for 50, or up to 1000");
  }
  return asked == 0 ? kPageSizeDefault : std::min(asked, kPageSizeMax);
}

}  // namespace

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
    WriteOne(*request, response, std::move(finish));
  });
}

grpc::ServerUnaryReactor* TwinServiceImpl::BatchWriteTwins(
    grpc::CallbackServerContext* context, const v1::BatchWriteTwinsRequest* request,
    v1::BatchWriteTwinsResponse* response) {
  return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
    const int count = request->requests_size();
    if (count < 1 || count > kBatchMax) {
      return finish(InvalidField("requests", absl::StrCat(count, " of them"),
                                 absl::StrCat("give 1 to ", kBatchMax)));
    }
    auto open = std::make_shared<OpenBatch>(count, std::move(finish));
    for (int i = 0; i < count; ++i) response->add_results();  // From here on they stay in place.
    size_t bytes = 0;
    std::map<absl::string_view, Growth> growth;  // Of each twin.
    for (int i = 0; i < count; ++i) {
      auto* result = response->mutable_results(i);
      bytes += AnswerBytesOf(request->requests(i), growth[request->requests(i).name()]);
      if (i > 0 && bytes > kBatchAnswerBytesMax) {
        *result->mutable_error() = rpc::ToProto(AnswerFull());
        open->EndOne();
        continue;
      }
      WriteOne(request->requests(i), result->mutable_written(),
               [result, open](absl::Status status) {
                 if (!status.ok()) *result->mutable_error() = rpc::ToProto(status);
                 open->EndOne();
               });
    }
  });
}

void TwinServiceImpl::WriteOne(const v1::WriteTwinRequest& request, v1::WriteTwinResponse* response,
                               absl::AnyInvocable<void(absl::Status)> done) {
  const absl::StatusOr<DeviceName> device = DeviceOf("name", request.name());
  if (!device.ok()) return done(device.status());
  absl::StatusOr<Write> write = WriteFrom(request, clock_.Now());
  if (!write.ok()) return done(write.status());
  desk_.Submit(*device, *std::move(write), request.whole_answer(),
               [device = *device, response,
                done = std::move(done)](absl::StatusOr<Written> written) mutable {
                 if (!written.ok()) return done(written.status());
                 *response->mutable_before() = ToProto(device, *written->before);
                 *response->mutable_after() = ToProto(device, *written->after);
                 done(absl::OkStatus());
               });
}

size_t TwinServiceImpl::AnswerBytesOf(const v1::WriteTwinRequest& request, Growth& growth) const {
  const absl::StatusOr<DeviceName> device = DeviceOf("name", request.name());
  if (!device.ok()) return kShownMax;
  const absl::StatusOr<TwinPtr> twin = desk_.Get(*device);
  if (!twin.ok()) return kShownMax;
  const std::set<std::string> names = growth.Add(request);
  if (request.whole_answer()) return 2 * (MessageBytesOf(**twin) + growth.bytes());
  return 2 * (MessageBytesOf(**twin, names) + growth.bytes(names));
}

grpc::ServerWriteReactor<v1::WatchTwinsResponse>* TwinServiceImpl::WatchTwins(
    grpc::CallbackServerContext* context, const v1::WatchTwinsRequest* request) {
  return rpc::AcceptWriter<v1::WatchTwinsResponse>(
      context, {.pending_bytes_max = kWatchPendingBytesMax},
      [this, request](const rpc::CallScope&, std::shared_ptr<TwinWatches::ResponseStream> stream) {
        return watches_.Open(*request, std::move(stream));
      });
}

grpc::ServerUnaryReactor* TwinServiceImpl::ReportState(grpc::CallbackServerContext* context,
                                                       const v1::ReportStateRequest* request,
                                                       v1::DeviceState* response) {
  return rpc::RunAsync(context, [&](const rpc::CallScope&, auto finish) {
    const absl::StatusOr<DeviceName> device = DeviceOf("name", request->name());
    if (!device.ok()) return finish(device.status());
    absl::StatusOr<Write> write = StateFrom(*request, clock_.Now());
    if (!write.ok()) return finish(write.status());
    desk_.Submit(*device, *std::move(write), false,
                 [response, finish = std::move(finish)](absl::StatusOr<Written> written) mutable {
                   if (!written.ok()) return finish(written.status());
                   *response = ToProto(written->after->state);
                   finish(absl::OkStatus());
                 });
  });
}

grpc::ServerUnaryReactor* TwinServiceImpl::ListReadings(grpc::CallbackServerContext* context,
                                                        const v1::ListReadingsRequest* request,
                                                        v1::ListReadingsResponse* response) {
  return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
    return FillReadings(*request, *response);
  });
}

grpc::ServerUnaryReactor* TwinServiceImpl::CallMethod(grpc::CallbackServerContext* context,
                                                      const v1::MethodCall* request,
                                                      v1::MethodResult* response) {
  return rpc::RunAsync(context, [&](const rpc::CallScope& scope, auto finish) {
    methods_.Call(
        *request, scope.deadline - absl::Now(),
        [response, finish = std::move(finish)](absl::StatusOr<v1::MethodResult> result) mutable {
          if (result.ok()) *response = *std::move(result);
          finish(result.status());
        });
  });
}

absl::Status TwinServiceImpl::FillReadings(const v1::ListReadingsRequest& request,
                                           v1::ListReadingsResponse& response) const {
  SKERRY_ASSIGN_OR_RETURN(const DeviceName device, DeviceOf("name", request.name()));
  SKERRY_ASSIGN_OR_RETURN(const int size, PageSizeOf(request.page_size()));
  SKERRY_ASSIGN_OR_RETURN(const TwinPtr twin, desk_.Get(device));
  ReadingQuery query{.device = device,
                     .uid = twin->uid,
                     .property = request.property(),
                     .count_max = static_cast<size_t>(size)};
  if (request.has_start_time()) {
    SKERRY_ASSIGN_OR_RETURN(query.start, rpc::FromProto(request.start_time()));
  }
  if (request.has_end_time()) {
    SKERRY_ASSIGN_OR_RETURN(query.end, rpc::FromProto(request.end_time()));
  }
  const std::string scope =
      absl::StrCat("readings/", device.value(), "/", twin->uid, "/", absl::ToUnixNanos(query.start),
                   "/", absl::ToUnixNanos(query.end), "/", request.property().substr(0, kShownMax));
  if (!request.page_token().empty()) {
    SKERRY_ASSIGN_OR_RETURN(const std::string key,
                            watch::DecodePageToken(request.page_token(), scope));
    SKERRY_ASSIGN_OR_RETURN(query.from, PositionFrom(key));
  }
  SKERRY_ASSIGN_OR_RETURN(ReadingPage page, readings_.List(query));
  for (v1::Reading& reading : page.readings) *response.add_readings() = std::move(reading);
  if (page.next.has_value()) {
    response.set_next_page_token(watch::EncodePageToken(scope, KeyOf(*page.next)));
  }
  return absl::OkStatus();
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
    return InvalidField("namespace", request.namespace_().substr(0, kShownMax),
                        "give a namespace's name, or nothing for all");
  }
  SKERRY_ASSIGN_OR_RETURN(const int size, PageSizeOf(request.page_size()));
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
