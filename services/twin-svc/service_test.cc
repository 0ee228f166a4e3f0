#include "services/twin-svc/service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/twin-svc/store/sqlite_twin_store.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPump[] = "namespaces/plant/devices/pump-1/twin";
constexpr auto kPatience = std::chrono::seconds(30);

Declaration Device(int64_t generation, const std::string& target) {
  return {
      "u1", generation, {{"target", {Value{.value = target, .writer = "cloud"}}}, {"level", {}}}};
}

class NoMappers final : public MethodCaller {
 public:
  void CallMethod(v1::MethodCall, absl::Duration timeout, Done done) override {
    EXPECT_GT(timeout, absl::Seconds(1));
    EXPECT_LE(timeout, absl::Seconds(31)) << "gRPC rounds up";
    done(Error(absl::StatusCode::kUnavailable, "away").Reason("MAPPER_AWAY"));
  }
};

class TwinServiceTest : public ::testing::Test {
 protected:
  TwinServiceTest() {
    watches_.SetDesk(*desk_);
    server_ = *rpc::Server::Create({.listen = absl::StrCat("unix:", folder_.path(), "/s.sock")},
                                   {&service_});
    stub_ = v1::TwinService::NewStub(
        *rpc::MakeChannel({.target = server_->address(), .own_connection = true}));
    Declare("pump-1", 1, "20");
  }

  void Declare(const std::string& name, int64_t generation, const std::string& target) {
    desk_->Declare(*DeviceName::Make("plant", name), Device(generation, target), nullptr);
    // The desk does one thing after the other.
    v1::WriteTwinRequest request;
    request.set_name(absl::StrCat("namespaces/plant/devices/", name, "/twin"));
    request.set_writer("test");
    EXPECT_THAT(Call(request).status(), IsOk());
  }
  absl::StatusOr<v1::WriteTwinResponse> Call(const v1::WriteTwinRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::WriteTwinResponse response;
    absl::Status status = rpc::FromGrpc(stub_->WriteTwin(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::BatchWriteTwinsResponse> Batch(const v1::BatchWriteTwinsRequest& request) {
    v1::BatchWriteTwinsResponse response;
    absl::Status status = rpc::CallUnary(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub_->BatchWriteTwins(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  // Until all are done, those that had no room again; returns in how many calls.
  int SendAll(v1::BatchWriteTwinsRequest request) {
    int calls = 0;
    for (; request.requests_size() > 0; ++calls) {
      const auto response = Batch(request);
      EXPECT_THAT(response, IsOk());
      if (!response.ok()) break;
      EXPECT_LT(response->ByteSizeLong(), 3u << 20);
      v1::BatchWriteTwinsRequest rest;
      for (int i = 0; i < request.requests_size(); ++i) {
        if (response->results(i).has_written()) {
          EXPECT_EQ(rest.requests_size(), 0) << "those that are not done are the last ones";
          continue;
        }
        EXPECT_THAT(rpc::FromProto(response->results(i).error()), HasReason("ANSWER_FULL"));
        *rest.add_requests() = request.requests(i);
      }
      if (rest.requests_size() == request.requests_size()) break;
      request = rest;
    }
    return calls;
  }
  absl::StatusOr<v1::Twin> Get(const std::string& name) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::GetTwinRequest request;
    request.set_name(name);
    v1::Twin response;
    absl::Status status = rpc::FromGrpc(stub_->GetTwin(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::ListTwinsResponse> List(int page_size, const std::string& token = "",
                                             const std::string& only = "") {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    v1::ListTwinsRequest request;
    request.set_page_size(page_size);
    request.set_page_token(token);
    request.set_namespace_(only);
    v1::ListTwinsResponse response;
    absl::Status status = rpc::FromGrpc(stub_->ListTwins(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::DeviceState> State(const std::string& state, const std::string& reason = "",
                                        const std::string& name = kPump) {
    v1::ReportStateRequest request;
    request.set_name(name);
    request.set_state(state);
    request.set_reason(reason);
    request.set_writer("mapper");
    v1::DeviceState response;
    absl::Status status = rpc::CallUnary(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub_->ReportState(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::ListReadingsResponse> Readings(const v1::ListReadingsRequest& request) {
    v1::ListReadingsResponse response;
    absl::Status status = rpc::CallUnary(absl::Seconds(30), [&](grpc::ClientContext* context) {
      return stub_->ListReadings(context, request, &response);
    });
    if (!status.ok()) return status;
    return response;
  }
  static v1::WriteTwinRequest Reports(const std::string& property, const std::string& value) {
    v1::WriteTwinRequest request;
    request.set_name(kPump);
    request.set_writer("mapper");
    (*request.mutable_reported())[property].set_value(value);
    return request;
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
  metrics::Registry registry_{"twin-svc"};
  TwinMetrics metrics_{registry_};
  std::unique_ptr<SqliteTwinStore> store_ =
      *SqliteTwinStore::Open(folder_.File("twins.db"), {}, clock_);
  std::unique_ptr<ReadingLog> readings_ = *ReadingLog::Open(folder_.File("twins.db"));
  exec::ThreadPool pool_{"readings", 1, 8};
  TwinWatches watches_{metrics_};
  std::unique_ptr<TwinDesk> desk_ =
      *TwinDesk::Create(*store_, {}, clock_, metrics_,
                        [this](const std::vector<TwinEvent>& events) { watches_.Publish(events); });
  NoMappers mappers_;
  MethodCalls methods_{mappers_};
  TwinServiceImpl service_{*desk_, watches_, *readings_, methods_, pool_, clock_};
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1::TwinService::Stub> stub_;
};

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
  desk_->Declare(*DeviceName::Parse("hall/lamp"), Device(1, "1"), nullptr);
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
