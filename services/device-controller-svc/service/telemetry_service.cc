#include "services/device-controller-svc/service/telemetry_service.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "api/skerry/devicecontroller/v1/telemetry_service.grpc.pb.h"
#include "services/device-controller-svc/service/pages.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/rpc/unary.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::devicecontroller {
namespace {

std::string ToText(const ReadingPosition& position) {
  return absl::StrCat(absl::ToUnixMicros(position.time), "/", position.tie);
}

absl::StatusOr<ReadingPosition> PositionOf(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(text, '/');
  int64_t micros = 0;
  ReadingPosition position;
  if (absl::SimpleAtoi(parts.first, &micros) && absl::SimpleAtoi(parts.second, &position.tie)) {
    position.time = absl::FromUnixMicros(micros);
    return position;
  }
  return Error(absl::StatusCode::kInvalidArgument, "page_token: not a token of this API")
      .Reason("PAGE_TOKEN_INVALID");
}

void Fill(const Reading& reading, v1::Reading& message) {
  *message.mutable_time() = rpc::ToProto(reading.position.time);
  message.set_value(reading.value);
  if (reading.number.has_value()) message.set_number(*reading.number);
}

class TelemetryServiceImpl final : public v1::TelemetryService::CallbackService {
 public:
  TelemetryServiceImpl(TelemetryStore& telemetry, exec::ThreadPool& pool)
      : telemetry_(telemetry), pool_(pool) {}

  grpc::ServerUnaryReactor* QueryReadings(grpc::CallbackServerContext* context,
                                          const v1::QueryReadingsRequest* request,
                                          v1::QueryReadingsResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return Query(*request, *response);
    });
  }

  grpc::ServerUnaryReactor* AggregateReadings(grpc::CallbackServerContext* context,
                                              const v1::AggregateReadingsRequest* request,
                                              v1::AggregateReadingsResponse* response) override {
    return rpc::RunUnary(context, pool_, [this, request, response](const rpc::CallScope&) {
      return Aggregate(*request, *response);
    });
  }

 private:
  absl::Status Query(const v1::QueryReadingsRequest& request, v1::QueryReadingsResponse& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device, ParseDeviceResource("name", request.name()));
    SKERRY_ASSIGN_OR_RETURN(const size_t size, PageSize(request.page_size()));
    SKERRY_ASSIGN_OR_RETURN(const TimeRange range,
                            RangeOf(request.has_start_time() ? &request.start_time() : nullptr,
                                    request.has_end_time() ? &request.end_time() : nullptr));
    TelemetryQuery query{.property = request.property(),
                         .from = range.from,
                         .to = range.to,
                         .newest_first = !request.oldest_first()};
    const std::string scope =
        TokenScope({"readings", request.name(), request.property(), devicecontroller::ToText(range),
                    absl::StrCat(request.oldest_first())});
    if (!request.page_token().empty()) {
      SKERRY_ASSIGN_OR_RETURN(const std::string key,
                              watch::DecodePageToken(request.page_token(), scope));
      SKERRY_ASSIGN_OR_RETURN(query.after, PositionOf(key));
    }
    size_t bytes = 0;
    while (true) {
      // One more than fits the page says whether there is a next one.
      const size_t room = size - static_cast<size_t>(response.readings_size());
      query.count_max = std::min(kChunk, room + 1);
      SKERRY_ASSIGN_OR_RETURN(const std::vector<Reading> readings, telemetry_.Query(device, query));
      for (const Reading& reading : readings) {
        if (static_cast<size_t>(response.readings_size()) == size || bytes > kPageBytesMax) {
          response.set_next_page_token(watch::EncodePageToken(scope, ToText(*query.after)));
          return absl::OkStatus();
        }
        v1::Reading& message = *response.add_readings();
        Fill(reading, message);
        bytes += message.ByteSizeLong();
        query.after = reading.position;
      }
      if (readings.size() < query.count_max) return absl::OkStatus();
    }
  }

  absl::Status Aggregate(const v1::AggregateReadingsRequest& request,
                         v1::AggregateReadingsResponse& response) {
    SKERRY_ASSIGN_OR_RETURN(const DeviceName device, ParseDeviceResource("name", request.name()));
    if (!request.has_start_time()) return InvalidField("start_time", "", "give a time");
    if (!request.has_end_time()) return InvalidField("end_time", "", "give a time");
    if (!request.has_bucket_width()) return InvalidField("bucket_width", "", "give a duration");
    SKERRY_ASSIGN_OR_RETURN(const TimeRange range,
                            RangeOf(&request.start_time(), &request.end_time()));
    SKERRY_ASSIGN_OR_RETURN(const absl::Duration width,
                            DurationOf("bucket_width", request.bucket_width(),
                                       absl::Microseconds(1), absl::Hours(24 * 366 * 100)));
    const absl::Duration length = range.to - range.from;
    if (length <= absl::ZeroDuration()) {
      return InvalidField("end_time", absl::FormatTime(range.to, absl::UTCTimeZone()),
                          "give a time after start_time");
    }
    if (length > width * TelemetryStore::kBucketsMax ||
        width % absl::Microseconds(1) != absl::ZeroDuration()) {
      return InvalidField("bucket_width", absl::FormatDuration(width),
                          absl::StrCat("give whole microseconds, so many that there are at most ",
                                       TelemetryStore::kBucketsMax, " buckets"));
    }
    SKERRY_ASSIGN_OR_RETURN(
        const std::vector<TelemetryBucket> buckets,
        telemetry_.Aggregate(device, request.property(), range.from, range.to, width));
    for (const TelemetryBucket& bucket : buckets) {
      v1::AggregateReadingsResponse::Bucket& message = *response.add_buckets();
      *message.mutable_start_time() = rpc::ToProto(bucket.start);
      message.set_count(bucket.count);
      message.set_min(bucket.min);
      message.set_max(bucket.max);
      message.set_mean(bucket.mean);
      message.set_first(bucket.first);
      message.set_last(bucket.last);
    }
    return absl::OkStatus();
  }

  TelemetryStore& telemetry_;
  exec::ThreadPool& pool_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeTelemetryService(TelemetryStore& telemetry,
                                                    exec::ThreadPool& pool) {
  return std::make_unique<TelemetryServiceImpl>(telemetry, pool);
}

}  // namespace skerry::devicecontroller
