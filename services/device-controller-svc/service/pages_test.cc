#include "services/device-controller-svc/service/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using skerry::testing::IsOkAndHolds;
using skerry::testing::StatusIs;

TEST(PagesTest, SizesAreBounded) {
  EXPECT_THAT(PageSize(0), IsOkAndHolds(50u));
  EXPECT_THAT(PageSize(7), IsOkAndHolds(7u));
  EXPECT_THAT(PageSize(2000), IsOkAndHolds(1000u));
  EXPECT_THAT(PageSize(-1).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(PagesTest, ScopesOfOtherFieldsDiffer) {
  EXPECT_EQ(TokenScope({"a", "b"}), TokenScope({"a", "b"}));
  EXPECT_NE(TokenScope({"a", "b"}), TokenScope({"ab", ""}));
  EXPECT_NE(TokenScope({"a", "b"}), TokenScope({"a", "b", ""}));
  EXPECT_EQ(TokenScope({std::string(1000, '\n')}).size(), 32u);
  const TimeRange all;
  EXPECT_NE(ToText(all), ToText({absl::UnixEpoch(), absl::InfiniteFuture()}));
  EXPECT_NE(ToText({absl::UnixEpoch(), absl::InfiniteFuture()}),
            ToText({absl::UnixEpoch() + absl::Nanoseconds(1), absl::InfiniteFuture()}));
}

TEST(PagesTest, DurationsOutOfBoundsAreRefused) {
  google::protobuf::Duration message;
  const auto read = [&] {
    return DurationOf("wait", message, absl::Milliseconds(1), absl::Hours(1));
  };
  EXPECT_THAT(read().status(), StatusIs(absl::StatusCode::kInvalidArgument));
  SetDuration(absl::Milliseconds(1500), message);
  EXPECT_EQ(message.seconds(), 1);
  EXPECT_EQ(message.nanos(), 500000000);
  EXPECT_THAT(read(), IsOkAndHolds(absl::Milliseconds(1500)));
  message.set_seconds(3601);
  EXPECT_THAT(read().status(), StatusIs(absl::StatusCode::kInvalidArgument));
  message.set_seconds(INT64_MAX);
  EXPECT_THAT(read().status(), StatusIs(absl::StatusCode::kInvalidArgument));
  message.set_seconds(1);
  message.set_nanos(INT32_MIN);
  EXPECT_THAT(read().status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace skerry::devicecontroller
