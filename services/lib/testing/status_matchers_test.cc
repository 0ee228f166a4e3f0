#include "services/lib/testing/status_matchers.h"

#include <gtest/gtest.h>

namespace skerry::testing {
namespace {

using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(StatusMatchersTest, MatchStatusAndStatusOr) {
  const absl::Status lost = Error(absl::StatusCode::kAborted, "lost the race").Reason("RACE");
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(lost, Not(IsOk()));
  EXPECT_THAT(lost, StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(lost, Not(StatusIs(absl::StatusCode::kOk)));
  EXPECT_THAT(lost, StatusIsWith(absl::StatusCode::kAborted, HasSubstr("race")));
  EXPECT_THAT(lost, HasReason("RACE"));
  EXPECT_THAT(absl::StatusOr<int>(lost), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(absl::StatusOr<int>(lost), Not(IsOkAndHolds(3)));
  EXPECT_THAT(absl::StatusOr<int>(3), IsOkAndHolds(3));
  EXPECT_THAT(absl::StatusOr<int>(3), IsOkAndHolds(Gt(2)));
  EXPECT_THAT(absl::StatusOr<std::string>("x"), IsOkAndHolds("x"));
}

}  // namespace
}  // namespace skerry::testing
