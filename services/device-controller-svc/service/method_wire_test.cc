#include "services/device-controller-svc/service/method_wire.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/match.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

v1::CallMethodRequest CallOf(v1::MethodCall::Delivery delivery) {
  v1::CallMethodRequest request;
  request.set_device("namespaces/plant/devices/a");
  request.set_method("Off");
  request.set_delivery(delivery);
  return request;
}

TEST(KeyPrefixTest, NoDevicesKeysAreThoseOfAnother) {
  EXPECT_EQ(KeyPrefix(*DeviceName::Parse("plant/a")), "plant/a/");
  const std::string space(63, 's');
  const DeviceName one = *DeviceName::Make(space, std::string(63, 'a'));
  const DeviceName two = *DeviceName::Make(space, std::string(62, 'a') + "b");
  EXPECT_NE(KeyPrefix(one), KeyPrefix(two));
  EXPECT_EQ(KeyPrefix(one).back(), '/');
  EXPECT_LE(KeyPrefix(one).size(), 64u);
  EXPECT_FALSE(absl::StartsWith(KeyPrefix(one), space)) << "no device's name begins with #";
  EXPECT_EQ(KeyPrefix(*DeviceName::Make("plant", std::string(57, 'a'))).size(), 64u);
}

TEST(SendFromTest, AKeyFitsWhateverTheNames) {
  v1::CallMethodRequest request = CallOf(v1::MethodCall::DELIVERY_NOW);
  request.set_device("namespaces/plant/devices/" + std::string(57, 'a'));
  request.set_call_id(std::string(64, 'c'));
  EXPECT_EQ(SendFrom(request, absl::Minutes(1), "new")->request.key().size(), 128u);
  EXPECT_EQ(SendFrom(CallOf(v1::MethodCall::DELIVERY_NOW), absl::Minutes(1), "new")->request.key(),
            "plant/a/new");
}

TEST(PatienceTest, IsThatOfTheCallWithinTheCallers) {
  const auto patience = [](const v1::CallMethodRequest& request, absl::Duration left) {
    return PatienceOf(*SendFrom(request, left, "new"), left);
  };
  // A caller without a deadline is answered when the call must have ended.
  EXPECT_EQ(patience(CallOf(v1::MethodCall::DELIVERY_NOW), absl::InfiniteDuration()),
            absl::Seconds(30 + 10));
  EXPECT_EQ(patience(CallOf(v1::MethodCall::DELIVERY_WAIT), absl::InfiniteDuration()),
            absl::Seconds(60 + 30 + 10));
  v1::CallMethodRequest queued = CallOf(v1::MethodCall::DELIVERY_QUEUE);
  queued.mutable_expire_in()->set_seconds(86400);
  EXPECT_EQ(patience(queued, absl::InfiniteDuration()), absl::Seconds(10));
  queued.mutable_wait()->set_seconds(60);
  EXPECT_EQ(patience(queued, absl::InfiniteDuration()), absl::Seconds(70));
  EXPECT_LT(patience(queued, absl::Seconds(5)), absl::Seconds(5));
  EXPECT_GT(patience(queued, absl::ZeroDuration()), absl::ZeroDuration());
}

TEST(ToProtoTest, ACommandOfAnotherKindIsNotMisread) {
  cloudhub::v1::Command command;
  command.set_name("nonsense");
  const v1::MethodCall call = ToProto(*DeviceName::Parse("plant/a"), command);
  EXPECT_EQ(call.stage(), v1::MethodCall::STAGE_UNSPECIFIED);
  EXPECT_EQ(call.node(), "");
}

}  // namespace
}  // namespace skerry::devicecontroller
