#include "services/lib/rpc/grpc_status.h"

#include <gtest/gtest.h>

#include "api/google/rpc/error_details.pb.h"
#include "services/lib/base/error.h"

namespace skerry::rpc {
namespace {

TEST(GrpcStatusTest, EveryCodeSurvivesTheWay) {
  for (int code = 1; code <= 16; ++code) {
    absl::Status status(static_cast<absl::StatusCode>(code), "why");
    EXPECT_EQ(FromGrpc(ToGrpc(status)), status);
    EXPECT_EQ(FromProto(ToProto(status)), status);
    EXPECT_EQ(static_cast<int>(ToGrpc(status).error_code()), code);
  }
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  EXPECT_TRUE(FromGrpc(grpc::Status::OK).ok());
  EXPECT_TRUE(FromProto(ToProto(absl::OkStatus())).ok());
}

TEST(GrpcStatusTest, ErrorInfoTravelsAsDetails) {
  absl::Status status =
      Error(absl::StatusCode::kAborted, "m").Reason("RACE_LOST").Meta("k", "v").Meta("n", "1");
  grpc::Status wire = ToGrpc(status);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(wire.error_details()));
  EXPECT_EQ(details.code(), 10);
  EXPECT_EQ(details.message(), "m");
  google::rpc::ErrorInfo info;
  ASSERT_EQ(details.details_size(), 1);
  ASSERT_TRUE(details.details(0).UnpackTo(&info));
  EXPECT_EQ(info.domain(), "skerry.io");
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_EQ(FromGrpc(wire), status);
}

TEST(GrpcStatusTest, BrokenDetailsAreLeftOut) {
  absl::Status status =
      FromGrpc(grpc::Status(grpc::StatusCode::NOT_FOUND, "m", "\xff\xff not a message"));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "m");
  EXPECT_EQ(GetErrorInfo(status).reason, "");
}

TEST(GrpcStatusTest, UnknownCodesBecomeUnknown) {
  google::rpc::Status proto;
  proto.set_code(4711);
  EXPECT_EQ(FromProto(proto).code(), absl::StatusCode::kUnknown);
  proto.set_code(-1);
  EXPECT_EQ(FromProto(proto).code(), absl::StatusCode::kUnknown);
}

TEST(GrpcStatusTest, ADetailOfAnotherKindIsPassedOver) {
  google::rpc::Status proto =
      ToProto(Error(absl::StatusCode::kAborted, "m").Reason("RACE_LOST").ToStatus());
  google::rpc::Status more;
  more.set_code(10);
  google::rpc::RetryInfo retry;
  more.add_details()->PackFrom(retry);
  *more.add_details() = proto.details(0);
  EXPECT_EQ(GetErrorInfo(FromProto(more)).reason, "RACE_LOST");
}

}  // namespace
}  // namespace skerry::rpc
