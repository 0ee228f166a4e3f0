// Lists, watches, readings and states.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/twin-svc/service.h"
#include "services/twin-svc/testing/service_fixture.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;

TEST_F(TwinServiceTest, ListsInPages) {
  Declare("a", 1, "1");
  Declare("z", 1, "1");
  const auto first = List(2);
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->twins_size(), 2);
  EXPECT_EQ(first->twins(0).name(), "namespaces/plant/devices/a/twin");
  const auto second = List(2, first->next_page_token());
  ASSERT_EQ(second->twins_size(), 1);
  EXPECT_EQ(second->twins(0).name(), "namespaces/plant/devices/z/twin");
  EXPECT_TRUE(second->next_page_token().empty());
  EXPECT_EQ(List(0, "", "hall")->twins_size(), 0);
  EXPECT_THAT(List(-1).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(List(2, "nonsense").status(), HasReason("PAGE_TOKEN_INVALID"));
  EXPECT_THAT(List(2, first->next_page_token(), "plant").status(), HasReason("PAGE_TOKEN_INVALID"));
}

TEST_F(TwinServiceTest, AWatchSeesAllThenChanges) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  auto reader = stub_->WatchTwins(&context, {});
  v1::WatchTwinsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().name(), kPump);
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.has_synced());
  ASSERT_THAT(Call(Reports("level", "1")), IsOk());
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().properties().at("level").reported().value(), "1");
  desk_->Undeclare(*DeviceName::Make("plant", "pump-1"));
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.deleted().name(), kPump);
  watches_.CloseAll(absl::UnavailableError("going down"));
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TwinServiceTest, AWatchOfANamespaceSeesNoOther) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  v1::WatchTwinsRequest request;
  request.set_namespace_("hall");
  auto reader = stub_->WatchTwins(&context, request);
  v1::WatchTwinsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_TRUE(response.has_synced());
  ASSERT_THAT(Call(Reports("level", "1")), IsOk());
  desk_->Declare(*DeviceName::Parse("hall/lamp"), PumpLike(1, "1"), nullptr);
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().name(), "namespaces/hall/devices/lamp/twin");
  context.TryCancel();
}

// However often twins change meanwhile, a watcher that does not read is sent each one once more.
TEST_F(TwinServiceTest, ASlowWatcherGetsTheNewestState) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  auto reader = stub_->WatchTwins(&context, {});
  const std::string large(30'000, 'x');
  for (int i = 1; i <= 300; ++i) {
    ASSERT_THAT(Call(Reports("level", absl::StrCat(i, " ", large))), IsOk());
  }
  v1::WatchTwinsResponse response;
  int messages = 0;
  std::string newest;
  do {
    ASSERT_TRUE(reader->Read(&response));
    ++messages;
    const auto& properties = response.upserted().properties();
    newest = properties.count("level") > 0 ? properties.at("level").reported().value() : "";
  } while (newest != absl::StrCat(300, " ", large));
  EXPECT_LT(messages, 100);
  context.TryCancel();
}

TEST_F(TwinServiceTest, AStateIsToldWithTheTwinAndToWatchers) {
  EXPECT_EQ(Get(kPump)->state().state(), "unknown");
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  auto reader = stub_->WatchTwins(&context, {});
  v1::WatchTwinsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(reader->Read(&response));
  const auto online = State("online");
  ASSERT_THAT(online, IsOk());
  EXPECT_EQ(online->state(), "online");
  EXPECT_EQ(online->writer(), "mapper");
  EXPECT_EQ(online->last_seen_time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  ASSERT_TRUE(reader->Read(&response));
  EXPECT_EQ(response.upserted().state().state(), "online");
  ASSERT_THAT(State("offline", "no answer"), IsOk());
  EXPECT_EQ(Get(kPump)->state().reason(), "no answer");
  context.TryCancel();
}

TEST_F(TwinServiceTest, BadStatesNameTheField) {
  EXPECT_THAT(State("").status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(State(std::string(65, 's')).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(State("online", std::string(1025, 'r')).status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(State("online", "", "namespaces/plant/devices/other/twin").status(),
              HasReason("DEVICE_UNKNOWN"));
}

TEST_F(TwinServiceTest, ListsReadingsInPages) {
  for (int i = 1; i <= 5; ++i) ASSERT_THAT(Call(Reports("level", absl::StrCat(i))), IsOk());
  ASSERT_THAT(Call(Reports("speed", "7")), IsOk());
  v1::ListReadingsRequest request;
  request.set_name(kPump);
  request.set_property("level");
  request.set_page_size(3);
  const auto first = Readings(request);
  ASSERT_THAT(first, IsOk());
  ASSERT_EQ(first->readings_size(), 3);
  EXPECT_EQ(first->readings(0).value(), "1");
  request.set_page_token(first->next_page_token());
  const auto second = Readings(request);
  ASSERT_EQ(second->readings_size(), 2);
  EXPECT_EQ(second->readings(1).value(), "5");
  EXPECT_TRUE(second->next_page_token().empty());
  request.set_property("speed");
  EXPECT_THAT(Readings(request).status(), HasReason("PAGE_TOKEN_INVALID"));
  request.clear_page_token();
  EXPECT_EQ(Readings(request)->readings_size(), 1);
  request.set_page_size(-1);
  EXPECT_THAT(Readings(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
  request.set_page_size(0);
  request.set_name("namespaces/plant/devices/other/twin");
  EXPECT_THAT(Readings(request).status(), HasReason("DEVICE_UNKNOWN"));
  request.set_name(kPump);
  request.mutable_start_time()->set_nanos(-1);
  EXPECT_THAT(Readings(request).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(TwinServiceTest, ReadingsAreOfTheTimeThatTheirWriterGave) {
  v1::WriteTwinRequest write = Reports("level", "1");
  (*(*write.mutable_reported())["level"].mutable_metadata())["timestamp"] = "1700000000000";
  ASSERT_THAT(Call(write), IsOk());
  ASSERT_THAT(Call(Reports("level", "2")), IsOk());
  v1::ListReadingsRequest request;
  request.set_name(kPump);
  request.mutable_end_time()->set_seconds(1'700'000'001);
  const auto readings = Readings(request);
  ASSERT_EQ(readings->readings_size(), 1);
  EXPECT_EQ(readings->readings(0).value(), "1");
  EXPECT_EQ(readings->readings(0).time().seconds(), 1'700'000'000);
}

}  // namespace
}  // namespace skerry::twin
