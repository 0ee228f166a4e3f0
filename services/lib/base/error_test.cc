#include "services/lib/base/error.h"

#include <gtest/gtest.h>

#include "services/lib/base/status_macros.h"

namespace skerry {
namespace {

TEST(ErrorTest, CarriesReasonAndMetadata) {
  absl::Status status = Error(absl::StatusCode::kNotFound, "no such node")
                            .Reason("NODE_UNKNOWN")
                            .Meta("node", "a:b,1");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  ErrorInfo info = GetErrorInfo(status);
  EXPECT_EQ(info.reason, "NODE_UNKNOWN");
  EXPECT_EQ(info.metadata.at("node"), "a:b,1");
}

TEST(ErrorTest, PlainStatusHasEmptyInfo) {
  EXPECT_EQ(GetErrorInfo(absl::InternalError("x")).reason, "");
  EXPECT_TRUE(GetErrorInfo(absl::OkStatus()).metadata.empty());
}

TEST(AnnotateTest, KeepsCodeAndPayload) {
  absl::Status status =
      Annotate(Error(absl::StatusCode::kAborted, "lost").Reason("RACE"), "save pod");
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(std::string(status.message()), "save pod: lost");
  EXPECT_EQ(GetErrorInfo(status).reason, "RACE");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

TEST(InvalidFieldTest, CutsLongValues) {
  absl::Status status = InvalidField("spec.name", std::string(5000, 'x'), "use fewer characters");
  EXPECT_LT(status.message().size(), 300u);
  EXPECT_EQ(GetErrorInfo(status).metadata.at("field"), "spec.name");
}

absl::StatusOr<int> Half(int n) {
  if (n % 2 != 0) return InvalidField("n", "odd", "give an even number");
  return n / 2;
}
absl::StatusOr<int> Quarter(int n) {
  SKERRY_ASSIGN_OR_RETURN(int half, Half(n));
  SKERRY_RETURN_IF_ERROR(absl::OkStatus());
  return Half(half);
}

TEST(StatusMacrosTest, PropagateFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(3).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry
