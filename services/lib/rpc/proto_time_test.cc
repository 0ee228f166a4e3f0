#include "services/lib/rpc/proto_time.h"

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::rpc {
namespace {

using skerry::testing::StatusIs;

TEST(ProtoTimeTest, TimesComeBackAsTheyWere) {
  for (const absl::Time time :
       {absl::UnixEpoch(), absl::FromUnixNanos(1), absl::FromUnixNanos(-1),
        absl::FromUnixNanos(1'700'000'000'123'456'789), absl::FromUnixSeconds(-62135596800)}) {
    EXPECT_EQ(*FromProto(ToProto(time)), time);
  }
}

TEST(ProtoTimeTest, WhatCannotBeHeldBecomesTheNearest) {
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).seconds(), 253402300799);
  EXPECT_EQ(ToProto(absl::InfiniteFuture()).nanos(), 999999999);
  EXPECT_EQ(ToProto(absl::InfinitePast()).seconds(), -62135596800);
}

TEST(ProtoTimeTest, WhatIsNoTimeIsAnError) {
  google::protobuf::Timestamp message;
  message.set_seconds(253402300800);
  EXPECT_THAT(FromProto(message).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  message.set_seconds(0);
  message.set_nanos(-1);
  EXPECT_THAT(FromProto(message).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  message.set_nanos(1'000'000'000);
  EXPECT_THAT(FromProto(message).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace skerry::rpc
