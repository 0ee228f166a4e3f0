// Mappers that come, go and are told, over gRPC.
#include "services/twin-svc/dmi/mapper_desk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/testing/dmi_fixture.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using State = FakeMapper::State;

class MapperDeskTest : public DmiTest {
 protected:
  void SetUp() override { StartMappers(); }
  void Know() {
    PutModel();
    PutDevice("a", 1, "10");
    PutDevice("b", 1, "20");
    PutDevice("meter", 1, "5", "opcua");
    follower_->OnSynced();
  }
  void KnowAndAttach() {
    Know();
    mapper_.Start();
    Attach(mapper_);
  }
  bool UntilDesired(const std::string& device, const std::string& value) {
    return mapper_.Await(
        [&](const State& state) { return state.Desired("plant/" + device, "target") == value; });
  }
  // Waits for the desk's thread.
  bool Until(const std::function<bool()>& good) {
    v1beta1::MapperRegisterRequest nothing = Registration("x", "/x");
    nothing.set_withdata(false);
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    while (!good()) {
      if (absl::Now() > limit) return false;
      Register(nothing).IgnoreError();
    }
    return true;
  }
  // All that was to be told before was told: calls are in order.
  bool UntilToldOf(const std::string& device) {
    PutDevice(device, 1, "1");
    return UntilDesired(device, "1");
  }
};

// [twin-4.3]
TEST_F(MapperDeskTest, ARegistrationIsAnsweredWithTheDevicesOfTheProtocol) {
  Know();
  ASSERT_THAT(WriteTarget("a", "11"), IsOk());
  const auto answer = Register(Registration("pumps", "unix://" + mapper_.path()));
  ASSERT_THAT(answer, IsOk());
  ASSERT_EQ(answer->modellist_size(), 1);
  EXPECT_EQ(answer->modellist(0).name(), "pump");
  ASSERT_EQ(answer->devicelist_size(), 2);
  mapper_.Take(*answer);
  EXPECT_EQ(mapper_.state().Desired("plant/a", "target"), "11") << "what was written here holds";
  EXPECT_EQ(mapper_.state().Desired("plant/b", "target"), "20");
  EXPECT_EQ(mapper_.state().Desired("plant/b", "level"), "");
  // As KubeEdge's mappers need it.
  EXPECT_TRUE(answer->devicelist(0).spec().properties(1).has_desired());
  EXPECT_EQ(metrics_.mappers.Value(), 1);
  EXPECT_EQ(mappers_->WriterOf(*DeviceName::Parse("plant/a")), "mapper:pumps");
  EXPECT_EQ(mappers_->WriterOf(*DeviceName::Parse("plant/meter")), "mapper");
}

TEST_F(MapperDeskTest, WithoutDataItIsAnsweredAndNotCalled) {
  Know();
  mapper_.Start();
  v1beta1::MapperRegisterRequest request = Registration("pumps", mapper_.path());
  request.set_withdata(false);
  const auto answer = Register(request);
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->devicelist_size() + answer->modellist_size(), 0);
  EXPECT_EQ(metrics_.mappers.Value(), 0);
}

TEST_F(MapperDeskTest, RefusesWhatIsNoMapper) {
  Know();
  EXPECT_THAT(Register(Registration("pumps", "relative.sock")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Register(Registration("pumps", "/run/x.sock", "")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(metrics_.registrations_refused.Value(), 2);
}

TEST_F(MapperDeskTest, WhatChangesIsTold) {
  KnowAndAttach();
  ASSERT_THAT(WriteTarget("a", "12"), IsOk());
  EXPECT_TRUE(UntilDesired("a", "12"));
  PutDevice("b", 2, "21");
  EXPECT_TRUE(UntilDesired("b", "21"));
  PutDevice("new", 1, "30");
  EXPECT_TRUE(UntilDesired("new", "30"));
  DropDevice("b");
  EXPECT_TRUE(UntilDesired("b", "-"));
  PutModel("how full it is");
  EXPECT_TRUE(UntilToldOf("last"));
  EXPECT_THAT(mapper_.state().calls,
              ElementsAre("UpdateDevice plant/a", "UpdateDevice plant/b",
                          "RegisterDevice plant/new", "RemoveDevice plant/b",
                          "UpdateDeviceModel plant/pump", "RegisterDevice plant/last"));
  EXPECT_TRUE(Until([&] { return metrics_.behind.Value() == 0; }));
}

TEST_F(MapperDeskTest, WhatIsReportedIsNotTold) {
  KnowAndAttach();
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(DoWrite("a", {.reported = {{"level", Value{.value = absl::StrCat(i)}}}}), IsOk());
  }
  ASSERT_THAT(WriteTarget("a", "10"), IsOk()) << "as it was";
  PutDevice("b", 2, "20");
  EXPECT_TRUE(UntilToldOf("last"));
  EXPECT_THAT(mapper_.state().calls, ElementsAre("RegisterDevice plant/last"));
}

TEST_F(MapperDeskTest, TheLastDeviceTakesItsModelWithIt) {
  KnowAndAttach();
  DropDevice("a");
  DropDevice("b");
  EXPECT_TRUE(mapper_.Await([](const State& state) { return state.models.empty(); }));
  EXPECT_THAT(mapper_.state().calls, ElementsAre("RemoveDevice plant/a", "RemoveDevice plant/b",
                                                 "RemoveDeviceModel plant/pump"));
}

TEST_F(MapperDeskTest, ADeviceMayChangeItsProtocol) {
  KnowAndAttach();
  FakeMapper other(dir_.File("opcua.sock"));
  other.Start();
  Attach(other, "meters", "opcua");
  PutDevice("a", 2, "10", "opcua");
  EXPECT_TRUE(other.Await([](const State& s) { return s.devices.count("plant/a") == 1; }));
  EXPECT_TRUE(mapper_.Await([](const State& s) { return s.devices.count("plant/a") == 0; }));
}

// [twin-4.1]
TEST_F(MapperDeskTest, AMapperThatIsAwayIsToldTheNewestWhenItIsBack) {
  Know();
  Attach(mapper_);  // It listens after it has registered, as those of KubeEdge.
  ASSERT_THAT(WriteTarget("a", "12"), IsOk());
  ASSERT_THAT(WriteTarget("a", "13"), IsOk());
  EXPECT_TRUE(Until([&] { return metrics_.away.Value() == 1; }));
  mapper_.Start();
  EXPECT_TRUE(UntilDesired("a", "13"));
  mapper_.Stop();
  ASSERT_THAT(WriteTarget("a", "14"), IsOk());
  ASSERT_THAT(WriteTarget("a", "15"), IsOk());
  mapper_.ForgetCalls();
  mapper_.Start();
  EXPECT_TRUE(UntilDesired("a", "15"));
  EXPECT_TRUE(UntilToldOf("last"));
  EXPECT_GT(metrics_.calls_away.Value(), 0);
  EXPECT_TRUE(Until([&] { return metrics_.away.Value() == 0; }));
}

// [twin-4.1]
TEST_F(MapperDeskTest, WhatItRefusesIsTriedAgain) {
  KnowAndAttach();
  mapper_.Fail(absl::InternalError("busy"));
  ASSERT_THAT(WriteTarget("a", "12"), IsOk());
  ASSERT_TRUE(mapper_.Await([](const State& state) { return state.calls.size() >= 2; }));
  EXPECT_TRUE(Until([&] { return metrics_.behind.Value() == 1; }));
  mapper_.Fail(absl::OkStatus());
  EXPECT_TRUE(UntilDesired("a", "12"));
  EXPECT_GE(metrics_.calls_failed.Value(), 2);
}

// KubeEdge's mappers say in words only that they do not have a device.
TEST_F(MapperDeskTest, WhatAMapperDoesNotHaveNeedNotBeRemoved) {
  KnowAndAttach();
  mapper_.Take({});
  DropDevice("a");
  EXPECT_TRUE(UntilToldOf("last"));
  EXPECT_THAT(mapper_.state().calls, ElementsAre("RemoveDevice plant/a", "GetDevice plant/a",
                                                 "RegisterDevice plant/last"));
  EXPECT_TRUE(Until([&] { return metrics_.behind.Value() == 0; }));
  EXPECT_EQ(metrics_.calls_failed.Value(), 0);
}

TEST_F(MapperDeskTest, RegistrationsWaitUntilDevicesAreKnown) {
  EXPECT_THAT(Register(Registration("pumps", mapper_.path()), absl::Milliseconds(1)),
              HasReason("DEVICES_NOT_KNOWN"));
  absl::StatusOr<v1beta1::MapperRegisterResponse> answer = absl::UnknownError("");
  absl::Notification done;
  mappers_->Register(Registration("pumps", mapper_.path()), absl::Seconds(20), [&](auto response) {
    answer = std::move(response);
    done.Notify();
  });
  EXPECT_FALSE(done.HasBeenNotified());
  Know();
  done.WaitForNotification();
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->devicelist_size(), 2);
}

TEST_F(MapperDeskTest, WhoeverDrainsAnswersThatItDoes) {
  absl::Status status;
  absl::Notification done;
  mappers_->Register(Registration("pumps", mapper_.path()), absl::Seconds(20), [&](auto response) {
    status = response.status();
    done.Notify();
  });
  mappers_->Drain();
  done.WaitForNotification();
  EXPECT_THAT(status, HasReason("DRAINING"));
  EXPECT_THAT(Register(Registration("pumps", mapper_.path())), HasReason("DRAINING"));
}

// [twin-4.2] The mapper lives on and does not know: it is told the difference.
TEST_F(MapperDeskTest, ARestartGoesOnWithTheMappers) {
  KnowAndAttach();
  ASSERT_TRUE(UntilToldOf("gone"));
  StopMappers();
  mapper_.ForgetCalls();
  StartMappers();
  PutModel();
  PutDevice("a", 1, "10");
  PutDevice("b", 2, "22");
  PutDevice("new", 1, "30");
  EXPECT_THAT(mapper_.state().calls, IsEmpty()) << "nobody knows yet what is gone";
  follower_->OnSynced();
  EXPECT_TRUE(UntilDesired("new", "30"));
  EXPECT_TRUE(UntilToldOf("x-last"));
  EXPECT_THAT(mapper_.state().calls,
              ElementsAre("RemoveDevice plant/gone", "UpdateDevice plant/b",
                          "RegisterDevice plant/new", "RegisterDevice plant/x-last"));
}

TEST_F(MapperDeskTest, OfTwoMappersOfAProtocolTheNewestHasItsDevices) {
  KnowAndAttach();
  FakeMapper newer(dir_.File("newer.sock"));
  newer.Start();
  Attach(newer, "newer");
  EXPECT_EQ(newer.state().devices.size(), 2u);
  EXPECT_TRUE(mapper_.Await(
      [](const State& state) { return state.devices.empty() && state.models.empty(); }));
  ASSERT_THAT(WriteTarget("a", "12"), IsOk());
  EXPECT_TRUE(
      newer.Await([](const State& state) { return state.Desired("plant/a", "target") == "12"; }));
  EXPECT_EQ(mappers_->WriterOf(*DeviceName::Parse("plant/a")), "mapper:newer");
  // It comes back.
  Attach(mapper_);
  EXPECT_TRUE(newer.Await([](const State& state) { return state.devices.empty(); }));
  EXPECT_EQ(mapper_.state().devices.size(), 2u);
}

TEST_F(MapperDeskTest, AMapperOfTheSameNameIsTheSame) {
  KnowAndAttach();
  FakeMapper moved(dir_.File("moved.sock"));
  moved.Start();
  Attach(moved);
  ASSERT_THAT(WriteTarget("a", "12"), IsOk());
  EXPECT_TRUE(
      moved.Await([](const State& state) { return state.Desired("plant/a", "target") == "12"; }));
  EXPECT_THAT(mapper_.state().calls, IsEmpty());
  // Of another protocol by now.
  const auto answer = Register(Registration("pumps", moved.path(), "opcua"));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->devicelist_size(), 1);
  EXPECT_EQ(metrics_.mappers.Value(), 1);
  EXPECT_EQ(mapper_store_->Load()->size(), 1u);
}

// [twin-4.5]
TEST_F(MapperDeskTest, HasSoManyMappersOnly) {
  StopMappers();
  StartMappers({.mappers_max = 1});
  KnowAndAttach();
  EXPECT_THAT(Register(Registration("meters", "/run/meters.sock", "opcua")),
              HasReason("MAPPERS_FULL"));
  Attach(mapper_);
  FakeMapper newer(dir_.File("newer.sock"));
  Attach(newer, "newer");
  EXPECT_EQ(newer.state().devices.size(), 2u);
}

TEST_F(MapperDeskTest, WhatAnAnswerHasNoRoomForIsTold) {
  StopMappers();
  StartMappers({.answer_bytes_max = 1});
  Know();
  mapper_.Start();
  const auto answer = Register(Registration("pumps", mapper_.path()));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->devicelist_size(), 0);
  EXPECT_EQ(answer->modellist_size(), 0);
  EXPECT_TRUE(mapper_.Await([](const State& state) { return state.devices.size() == 2; }));
  EXPECT_EQ(mapper_.state().calls.at(0), "CreateDeviceModel plant/pump");
}

TEST_F(MapperDeskTest, AnAnswerHasAsMuchAsThereIsRoomFor) {
  StopMappers();
  StartMappers({.answer_bytes_max = 10000});
  PutModel();
  for (int i = 0; i < 200; ++i) PutDevice(absl::StrCat("d", i), 1, "1");
  follower_->OnSynced();
  const auto answer = Register(Registration("pumps", mapper_.path()));
  ASSERT_THAT(answer, IsOk());
  EXPECT_LE(answer->ByteSizeLong(), 14000u);
  EXPECT_GT(answer->devicelist_size(), 20);
  mapper_.Take(*answer);
  mapper_.Start();
  EXPECT_TRUE(mapper_.Await([](const State& state) { return state.devices.size() == 200; }));
}

TEST_F(MapperDeskTest, ADeviceThatDoesNotSuitItsModelIsNotTold) {
  KnowAndAttach();
  PutDevice("a", 2, "10", "modbus", R"({"list":[]})");
  EXPECT_EQ(twin_metrics_.objects_refused.Value(), 1);
  EXPECT_TRUE(UntilToldOf("last"));
  EXPECT_THAT(mapper_.state().calls, ElementsAre("RegisterDevice plant/last"));
}

TEST_F(MapperDeskTest, ADeviceWithoutItsModelWaitsForIt) {
  mapper_.Start();
  PutDevice("a", 1, "10");
  follower_->OnSynced();
  const auto answer = Register(Registration("pumps", mapper_.path()));
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->devicelist_size(), 0);
  PutModel();
  EXPECT_TRUE(UntilDesired("a", "10"));
  EXPECT_THAT(mapper_.state().calls,
              ElementsAre("CreateDeviceModel plant/pump", "RegisterDevice plant/a"));
}

class MethodTest : public MapperDeskTest {
 protected:
  static v1::MethodCall CallOf(const std::string& device) {
    v1::MethodCall call;
    call.set_device(device);
    call.set_method("flush");
    (*call.mutable_arguments())["seconds"] = "3";
    call.set_request_id("r1");
    return call;
  }
};

TEST_F(MethodTest, TheMapperOfTheDeviceIsCalled) {
  Know();
  mapper_.Start([](const v1::MethodCall& call) {
    v1::MethodResult result;
    result.set_status(200);
    result.set_payload(absl::StrCat(call.method(), " ", call.arguments().at("seconds")));
    return result;
  });
  Attach(mapper_);
  const auto result = CallMethod(CallOf("plant/a"));
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->payload(), "flush 3");
  EXPECT_EQ(mapper_.state().methods.at(0).request_id(), "r1");
}

TEST_F(MethodTest, ItsErrorsAreTheMappers) {
  Know();
  mapper_.Start([](const v1::MethodCall&) -> absl::StatusOr<v1::MethodResult> {
    return Error(absl::StatusCode::kUnavailable, "unplugged").Reason("DEVICE_OFFLINE");
  });
  Attach(mapper_);
  EXPECT_THAT(CallMethod(CallOf("plant/a")), HasReason("DEVICE_OFFLINE"));
}

TEST_F(MethodTest, SaysWhyNobodyWasCalled) {
  Know();
  EXPECT_THAT(CallMethod(CallOf("plant/a")), HasReason("MAPPER_AWAY"));
  Attach(mapper_);  // Which does not listen.
  EXPECT_THAT(CallMethod(CallOf("plant/a")), HasReason("MAPPER_AWAY"));
  EXPECT_THAT(CallMethod(CallOf("plant/none")), HasReason("DEVICE_UNKNOWN"));
  FakeMapper without(dir_.File("without.sock"));
  without.Start();
  Attach(without);
  const auto result = CallMethod(CallOf("plant/a"));
  EXPECT_THAT(result, HasReason("METHODS_UNSUPPORTED"));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr("takes no methods"));
}

TEST_F(MethodTest, RefusesWhatIsTooMuch) {
  Know();
  v1::MethodCall call = CallOf("nothing");
  EXPECT_THAT(CallMethod(call), StatusIs(absl::StatusCode::kInvalidArgument));
  call = CallOf("plant/a");
  call.clear_method();
  EXPECT_THAT(CallMethod(call), StatusIs(absl::StatusCode::kInvalidArgument));
  call = CallOf("plant/a");
  (*call.mutable_arguments())["x"] = std::string(64 << 10, 'x');
  EXPECT_THAT(CallMethod(call), StatusIs(absl::StatusCode::kInvalidArgument));
  call = CallOf("plant/a");
  for (int i = 0; i < 64; ++i) (*call.mutable_arguments())[absl::StrCat(i)] = "";
  EXPECT_THAT(CallMethod(call), StatusIs(absl::StatusCode::kInvalidArgument));
}

// [twin-4.5]
TEST_F(MethodTest, AMapperHasSoManyCallsUnderWayOnly) {
  StopMappers();
  StartMappers({.method_calls_max = 1});
  Know();
  absl::Notification begun, end;
  mapper_.Start([&](const v1::MethodCall&) {
    begun.Notify();
    end.WaitForNotification();
    return v1::MethodResult();
  });
  Attach(mapper_);
  absl::Notification done;
  mappers_->CallMethod(CallOf("plant/a"), absl::Seconds(20), [&](auto result) {
    EXPECT_TRUE(result.ok()) << result.status();
    done.Notify();
  });
  begun.WaitForNotification();
  EXPECT_THAT(CallMethod(CallOf("plant/a")), HasReason("MAPPER_BUSY"));
  end.Notify();
  done.WaitForNotification();
}

}  // namespace
}  // namespace skerry::twin
