// Single twins: what is read of one, and writes.
#include "services/twin-svc/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/twin-svc/testing/service_fixture.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(TwinServiceTest, TellsATwin) {
  const absl::StatusOr<v1::Twin> twin = Get(kPump);
  ASSERT_THAT(twin, IsOk());
  EXPECT_EQ(twin->properties().at("target").desired().value(), "20");
  EXPECT_THAT(Get("namespaces/plant/devices/other/twin").status(), HasReason("DEVICE_UNKNOWN"));
  EXPECT_THAT(Get("plant/pump-1").status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("plant/pump-1")));
}

TEST_F(TwinServiceTest, AWriteAnswersWithWhatItFoundAndMade) {
  const auto response = Call(Reports("level", "1.5"));
  ASSERT_THAT(response, IsOk());
  EXPECT_FALSE(response->before().properties().at("level").has_reported());
  EXPECT_EQ(response->after().properties().at("level").reported().value(), "1.5");
  EXPECT_EQ(response->after().properties().at("level").reported().writer(), "mapper");
  EXPECT_EQ(response->after().properties().count("target"), 0u);
  v1::WriteTwinRequest whole = Reports("level", "2");
  whole.set_whole_answer(true);
  EXPECT_EQ(Call(whole)->after().properties().count("target"), 1u);
}

TEST_F(TwinServiceTest, ARepeatedWriteIsOne) {
  v1::WriteTwinRequest request = Reports("level", "1");
  request.set_request_id("r1");
  ASSERT_THAT(Call(request), IsOk());
  ASSERT_THAT(Call(Reports("level", "2")), IsOk());
  EXPECT_EQ(Call(request)->after().properties().at("level").reported().value(), "2");
}

TEST_F(TwinServiceTest, WritesOfACallAreDoneOrRefusedEachByItself) {
  Declare("pump-2", 1, "30");
  v1::BatchWriteTwinsRequest request;
  *request.add_requests() = Reports("level", "1");
  *request.add_requests() = Reports("level", "2");
  *request.add_requests() = Reports("no spaces", "1");
  *request.add_requests() = Reports("level", "7");
  request.mutable_requests(3)->set_name("namespaces/plant/devices/pump-2/twin");
  *request.add_requests() = Reports("level", "1");
  request.mutable_requests(4)->set_name("namespaces/plant/devices/other/twin");
  *request.add_requests() = Reports("level", "1");
  request.mutable_requests(5)->set_name("x");
  const auto response = Batch(request);
  ASSERT_THAT(response, IsOk());
  ASSERT_EQ(response->results_size(), 6);
  const auto level = [&](int i) {
    return response->results(i).written().after().properties().at("level").reported().value();
  };
  EXPECT_EQ(level(0), "1");
  EXPECT_EQ(level(1), "2");
  EXPECT_EQ(response->results(1).written().before().properties().at("level").reported().value(),
            "1");
  EXPECT_THAT(rpc::FromProto(response->results(2).error()),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("no spaces")));
  EXPECT_EQ(level(3), "7");
  EXPECT_THAT(rpc::FromProto(response->results(4).error()), HasReason("DEVICE_UNKNOWN"));
  EXPECT_THAT(rpc::FromProto(response->results(5).error()),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("name")));
  EXPECT_EQ(Get(kPump)->properties().at("level").reported().value(), "2");
}

TEST_F(TwinServiceTest, ACallHasSoManyWrites) {
  v1::BatchWriteTwinsRequest request;
  EXPECT_THAT(Batch(request).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("requests")));
  for (int i = 0; i < 256; ++i) *request.add_requests() = Reports("level", absl::StrCat(i));
  const auto all = Batch(request);
  ASSERT_THAT(all, IsOk());
  EXPECT_EQ(all->results(255).written().after().properties().at("level").reported().value(), "255");
  *request.add_requests() = Reports("level", "x");
  EXPECT_THAT(Batch(request).status(),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("256")));
  EXPECT_EQ(Get(kPump)->properties().at("level").reported().value(), "255");
}

TEST_F(TwinServiceTest, WhatHasNoRoomInTheAnswerIsNotDone) {
  for (const std::string text : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    v1::WriteTwinRequest large = Reports(text, std::string(30'000, 'x'));
    for (int i = 0; i < 3; ++i) {
      (*large.mutable_reported())[absl::StrCat(text, i)].set_value(std::string(30'000, 'x'));
    }
    ASSERT_THAT(Call(large), IsOk());
  }
  v1::BatchWriteTwinsRequest request;
  for (int i = 0; i < 5; ++i) {
    *request.add_requests() = Reports("level", absl::StrCat(i));
    request.mutable_requests(i)->set_whole_answer(true);
  }
  EXPECT_GT(SendAll(request), 1);
  EXPECT_EQ(Get(kPump)->properties().at("level").reported().value(), "4");
}

TEST_F(TwinServiceTest, AnAnswerHasRoomForWhatTheWritesOfOneTwinMakeOfIt) {
  v1::BatchWriteTwinsRequest request;
  for (int i = 0; i < 30; ++i) {
    *request.add_requests() = Reports(absl::StrCat("p", i), std::string(30'000, 'x'));
    request.mutable_requests(i)->set_whole_answer(true);
  }
  EXPECT_GT(SendAll(request), 5);
  EXPECT_EQ(Get(kPump)->properties().size(), 32u);
}

TEST_F(TwinServiceTest, AWriteThatAsksForLittleOfALargeTwinTakesLittleRoom) {
  for (int i = 0; i < 30; ++i) {
    ASSERT_THAT(Call(Reports(absl::StrCat("p", i), std::string(30'000, 'x'))), IsOk());
  }
  v1::BatchWriteTwinsRequest request;
  for (int i = 0; i < 100; ++i) *request.add_requests() = Reports("level", absl::StrCat(i));
  EXPECT_EQ(SendAll(request), 1);
}

TEST_F(TwinServiceTest, ALostRaceTellsBothValues) {
  v1::WriteTwinRequest request;
  request.set_name(kPump);
  request.set_writer("panel");
  (*request.mutable_desired())["target"].set_value("25");
  (*request.mutable_expected_versions())["target"] = 17;
  const absl::Status refused = Call(request).status();
  EXPECT_THAT(refused, AllOf(StatusIs(absl::StatusCode::kAborted), HasReason("DESIRED_CHANGED")));
  EXPECT_EQ(GetErrorInfo(refused).metadata.at("value"), "20");
  EXPECT_EQ(GetErrorInfo(refused).metadata.at("refused_value"), "25");
}

TEST_F(TwinServiceTest, TheCloudsValueCanHoldAgain) {
  v1::WriteTwinRequest request;
  request.set_name(kPump);
  request.set_writer("panel");
  (*request.mutable_desired())["target"].set_value("25");
  ASSERT_THAT(Call(request), IsOk());
  EXPECT_EQ(Get(kPump)->properties().at("target").desired().writer(), "panel");
  (*request.mutable_desired())["target"].set_cloud(true);
  ASSERT_THAT(Call(request), IsOk());
  EXPECT_EQ(Get(kPump)->properties().at("target").desired().value(), "20");
}

TEST_F(TwinServiceTest, BadRequestsNameTheField) {
  const auto refused = [&](const v1::WriteTwinRequest& request, const std::string& field) {
    EXPECT_THAT(Call(request).status(),
                StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr(field)));
  };
  v1::WriteTwinRequest request = Reports("level", "1");
  request.set_name("x");
  refused(request, "name");
  request = Reports("level", "1");
  request.clear_writer();
  refused(request, "writer");
  request.set_writer("cloud");
  refused(request, "writer");
  request = Reports("level", "1");
  request.set_request_id(std::string(129, 'r'));
  refused(request, "request_id");
  request = Reports("level", "1");
  (*request.mutable_desired())["target"];
  refused(request, "desired[target]");
  (*request.mutable_desired())["target"].set_cloud(false);
  refused(request, "desired[target].cloud");
  request = Reports("level", "1");
  (*(*request.mutable_reported())["level"].mutable_metadata())["k"] = std::string(9000, 'm');
  refused(request, "reported[level].metadata");
  refused(Reports("no spaces", "1"), "no spaces");
  EXPECT_FALSE(Get(kPump)->properties().at("level").has_reported());
}

TEST_F(TwinServiceTest, WhatNoDeviceDeclaresCanBeRemoved) {
  ASSERT_THAT(Call(Reports("made_here", "1")), IsOk());
  v1::WriteTwinRequest request;
  request.set_name(kPump);
  request.set_writer("mqtt");
  request.add_remove("made_here");
  const auto response = Call(request);
  ASSERT_THAT(response, IsOk());
  EXPECT_EQ(response->before().properties().count("made_here"), 1u);
  EXPECT_EQ(response->after().properties().count("made_here"), 0u);
  EXPECT_EQ(Get(kPump)->properties().count("made_here"), 0u);
  request.add_remove("level");
  EXPECT_THAT(Call(request).status(), HasReason("PROPERTY_DECLARED"));
  (*request.mutable_reported())["level"].set_value("1");
  EXPECT_THAT(Call(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(TwinServiceTest, AMethodWithoutAMapperSaysSo) {
  v1::MethodCall call;
  call.set_device("plant/pump-1");
  call.set_method("start");
  v1::MethodResult result;
  EXPECT_THAT(rpc::CallUnary(absl::Seconds(30),
                             [&](grpc::ClientContext* context) {
                               return stub_->CallMethod(context, call, &result);
                             }),
              HasReason("MAPPER_AWAY"));
}

}  // namespace
}  // namespace skerry::twin
