// Calls of methods that come before the devices of the box are known.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/dmi/mapper_desk.h"
#include "services/twin-svc/testing/dmi_fixture.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

class CallWaitTest : public DmiTest {
 protected:
  void SetUp() override { StartMappers(); }
  static v1::MethodCall CallOf(const std::string& device) {
    v1::MethodCall call;
    call.set_device(device);
    call.set_method("flush");
    return call;
  }
};

// A box starts, and a command is there before edge-meta-svc has told of its devices.
TEST_F(CallWaitTest, ACallWaitsUntilTheDevicesAreKnown) {
  mapper_.Start([](const v1::MethodCall&) { return v1::MethodResult(); });
  std::atomic<int> answered = 0;
  absl::Notification known, unknown;
  mappers_->CallMethod(CallOf("plant/a"), absl::Seconds(20), [&](auto result) {
    EXPECT_THAT(result, IsOk());
    ++answered;
    known.Notify();
  });
  mappers_->CallMethod(CallOf("plant/none"), absl::Seconds(20), [&](auto result) {
    EXPECT_THAT(result, HasReason("DEVICE_UNKNOWN"));
    ++answered;
    unknown.Notify();
  });
  absl::Notification registered;
  mappers_->Register(Registration("pumps", "unix://" + mapper_.path()), absl::Seconds(20),
                     [&](const auto& answer) {
                       EXPECT_THAT(answer, IsOk());
                       registered.Notify();
                     });
  EXPECT_EQ(answered, 0);
  PutModel();
  PutDevice("a", 1, "10");
  follower_->OnSynced();
  registered.WaitForNotification();
  known.WaitForNotification();
  unknown.WaitForNotification();
}

TEST_F(CallWaitTest, ACallWaitsNoLongerThanItsTime) {
  EXPECT_THAT(CallMethod(CallOf("plant/a"), absl::Milliseconds(50)),
              HasReason("DEVICES_NOT_KNOWN"));
  std::vector<std::unique_ptr<absl::Notification>> done;
  for (int i = 0; i < 64; ++i) {
    done.push_back(std::make_unique<absl::Notification>());
    mappers_->CallMethod(CallOf("plant/a"), absl::Minutes(10), [&end = *done.back()](auto result) {
      EXPECT_THAT(result, HasReason("DRAINING"));
      end.Notify();
    });
  }
  EXPECT_THAT(CallMethod(CallOf("plant/a")), HasReason("MAPPERS_BUSY"));
  mappers_->Drain();
  for (const auto& end : done) end->WaitForNotification();
}

}  // namespace
}  // namespace skerry::twin
