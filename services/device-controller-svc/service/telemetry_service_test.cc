#include "services/device-controller-svc/service/telemetry_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/devicecontroller/v1/telemetry_service.grpc.pb.h"
#include "services/device-controller-svc/service/testing/api_fixture.h"
#include "services/lib/rpc/proto_time.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Stub = v1::TelemetryService::Stub;

constexpr char kDevice[] = "namespaces/plant/devices/room-3";

class TelemetryServiceTest : public ApiTest {
 protected:
  // Reading `i` is of second `i`.
  absl::Time At(int i) { return start_ + absl::Seconds(i); }
  void Append(int i, const std::string& value) {
    ASSERT_THAT(telemetry_->Append({"edge-1", "store", "readings", sequence_, sequence_},
                                   {{.sequence = sequence_,
                                     .device = *DeviceName::Parse("plant/room-3"),
                                     .model = "thermostat",
                                     .property = "temperature",
                                     .time = At(i),
                                     .value = value}}),
                IsOk());
    ++sequence_;
  }
  static v1::QueryReadingsRequest Of(const std::string& name = kDevice) {
    v1::QueryReadingsRequest request;
    request.set_name(name);
    request.set_property("temperature");
    return request;
  }
  absl::StatusOr<v1::QueryReadingsResponse> Query(const v1::QueryReadingsRequest& request) {
    return Call(*stub_, &Stub::QueryReadings, request);
  }
  std::vector<std::string> Values(const v1::QueryReadingsRequest& request) {
    std::vector<std::string> values;
    const auto response = Query(request);
    EXPECT_THAT(response, IsOk());
    for (const v1::Reading& reading : response->readings()) values.push_back(reading.value());
    return values;
  }
  v1::AggregateReadingsRequest Buckets(int from, int to, int64_t width_seconds) {
    v1::AggregateReadingsRequest request;
    request.set_name(kDevice);
    request.set_property("temperature");
    *request.mutable_start_time() = rpc::ToProto(At(from));
    *request.mutable_end_time() = rpc::ToProto(At(to));
    request.mutable_bucket_width()->set_seconds(width_seconds);
    return request;
  }
  absl::StatusOr<v1::AggregateReadingsResponse> Aggregate(
      const v1::AggregateReadingsRequest& request) {
    return Call(*stub_, &Stub::AggregateReadings, request);
  }

  const absl::Time start_ = clock_.Now();
  uint64_t sequence_ = 1;
  const std::unique_ptr<Stub> stub_ = v1::TelemetryService::NewStub(channel_);
};

TEST_F(TelemetryServiceTest, TellsReadingsByTheirTime) {
  Append(3, "21");
  Append(1, "19.5");
  Append(2, "cold");
  EXPECT_THAT(Values(Of()), ElementsAre("21", "cold", "19.5"));
  v1::QueryReadingsRequest request = Of();
  request.set_oldest_first(true);
  const v1::QueryReadingsResponse response = *Query(request);
  EXPECT_EQ(response.readings(0).number(), 19.5);
  EXPECT_FALSE(response.readings(1).has_number());
  EXPECT_EQ(*rpc::FromProto(response.readings(0).time()), At(1));
  *request.mutable_start_time() = rpc::ToProto(At(2));
  *request.mutable_end_time() = rpc::ToProto(At(3));
  EXPECT_THAT(Values(request), ElementsAre("cold"));
  EXPECT_THAT(Values(Of("namespaces/plant/devices/none")), ElementsAre());
}

TEST_F(TelemetryServiceTest, ReadsInPagesThatMeet) {
  // Several of one time, at the borders of pages.
  for (int i = 0; i < 130; ++i) Append(i / 4, absl::StrCat(i));
  for (const bool oldest_first : {true, false}) {
    v1::QueryReadingsRequest request = Of();
    request.set_page_size(59);
    request.set_oldest_first(oldest_first);
    std::vector<std::string> values;
    do {
      const absl::StatusOr<v1::QueryReadingsResponse> page = Query(request);
      ASSERT_THAT(page, IsOk());
      for (const v1::Reading& reading : page->readings()) values.push_back(reading.value());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    ASSERT_EQ(values.size(), 130u);
    for (int i = 0; i < 130; ++i) EXPECT_EQ(values[i], absl::StrCat(oldest_first ? i : 129 - i));
  }
  v1::QueryReadingsRequest request = Of();
  request.set_page_size(2);
  request.set_page_token(Query(request)->next_page_token());
  ASSERT_THAT(Query(request), IsOk());
  request.set_property("target");
  EXPECT_THAT(Query(request).status(), HasReason("PAGE_TOKEN_INVALID")) << "of another property";
}

TEST_F(TelemetryServiceTest, APageEndsWhereItIsLarge) {
  for (int i = 0; i < 150; ++i) Append(i, std::string(32u << 10, 'x'));
  v1::QueryReadingsRequest request = Of();
  request.set_page_size(1000);
  int readings = 0;
  do {
    const absl::StatusOr<v1::QueryReadingsResponse> page = Query(request);
    ASSERT_THAT(page, IsOk());
    readings += page->readings_size();
    request.set_page_token(page->next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(readings, 150);
}

TEST_F(TelemetryServiceTest, AggregatesByBuckets) {
  Append(1, "20");
  Append(2, "cold");
  Append(3, "24");
  Append(25, "10");
  const absl::StatusOr<v1::AggregateReadingsResponse> response = Aggregate(Buckets(0, 30, 10));
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->buckets_size(), 2);
  const auto& bucket = response->buckets(0);
  EXPECT_EQ(*rpc::FromProto(bucket.start_time()), At(0));
  EXPECT_EQ(bucket.count(), 2);
  EXPECT_EQ(bucket.min(), 20);
  EXPECT_EQ(bucket.max(), 24);
  EXPECT_EQ(bucket.mean(), 22);
  EXPECT_EQ(bucket.first(), 20);
  EXPECT_EQ(bucket.last(), 24);
  EXPECT_EQ(*rpc::FromProto(response->buckets(1).start_time()), At(20));
}

TEST_F(TelemetryServiceTest, BadRequestsNameTheField) {
  const auto refused = [](const absl::Status& status, const std::string& field) {
    EXPECT_THAT(status, StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  refused(Query(Of("plant/room-3")).status(), "name");
  v1::QueryReadingsRequest query = Of();
  query.clear_property();
  refused(Query(query).status(), "property");
  query = Of();
  query.mutable_start_time()->set_nanos(-1);
  refused(Query(query).status(), "start_time");
  query = Of();
  query.set_page_size(-1);
  refused(Query(query).status(), "page_size");

  refused(Aggregate(Buckets(10, 10, 1)).status(), "end_time");
  refused(Aggregate(Buckets(0, 20000, 1)).status(), "bucket_width");
  refused(Aggregate(Buckets(0, 10, 0)).status(), "bucket_width");
  v1::AggregateReadingsRequest aggregate = Buckets(0, 10, 1);
  aggregate.mutable_bucket_width()->set_nanos(1);
  refused(Aggregate(aggregate).status(), "bucket_width");
  aggregate = Buckets(0, 10, 1);
  aggregate.clear_end_time();
  refused(Aggregate(aggregate).status(), "end_time");
}

}  // namespace
}  // namespace skerry::devicecontroller
