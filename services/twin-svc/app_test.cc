// The whole service, without its neighbours: what it has is in its store.
#include "services/twin-svc/app.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "api/skerry/twin/v1/twin_link.pb.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "services/lib/hubclient/testing/fake_edgehub.h"
#include "services/lib/log/logger.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"
#include "services/twin-svc/testing/fake_mapper.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;

constexpr char kPump[] = "namespaces/plant/devices/pump-1/twin";
constexpr char kDevice[] =
    R"({"kind":"Device","metadata":{"namespace":"plant","name":"pump-1","uid":"u1","generation":1},
    "spec":{"deviceModelRef":{"name":"pump"},"nodeName":"edge-1",
    "protocol":{"protocolName":"modbus"},"properties":[
    {"name":"target","desired":{"value":"20"}},{"name":"level"}]}})";
constexpr char kModel[] =
    R"({"kind":"DeviceModel","metadata":{"namespace":"plant","name":"pump"},"spec":{"properties":[
    {"name":"target","type":"INT","accessMode":"ReadWrite"},
    {"name":"level","type":"FLOAT","accessMode":"ReadOnly"}]}})";

// edge-meta-svc with one device, or with none.
class OneDeviceMeta final : public meta::v1::MetaService::Service {
 public:
  grpc::Status WatchObjects(grpc::ServerContext*, const meta::v1::WatchObjectsRequest*,
                            grpc::ServerWriter<meta::v1::WatchObjectsResponse>* writer) override {
    meta::v1::WatchObjectsResponse response;
    meta::v1::Object& object = *response.mutable_upserted();
    object.set_type("devicemodels.devices.kubeedge.io");
    object.set_key("plant/pump");
    object.set_object(kModel);
    writer->Write(response);
    if (bound) {
      object.set_type("devices.devices.kubeedge.io");
      object.set_key("plant/pump-1");
      object.set_object(kDevice);
      writer->Write(response);
    }
    response.mutable_synced();
    writer->Write(response);
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&over_));
    return grpc::Status::CANCELLED;
  }
  // Watches end, and those that come then, too.
  void SetOver(bool over) {
    absl::MutexLock lock(&mutex_);
    over_ = over;
  }

  bool bound = true;

 private:
  absl::Mutex mutex_;
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
};

class AppTest : public ::testing::Test {
 protected:
  AppTest() {
    config_.run_dir = folder_.path() + "/run";
    config_.state_dir = folder_.path() + "/state";
    config_.meta_reconnect_max = absl::Milliseconds(200);
    config_.hub_reconnect_max = absl::Milliseconds(200);
    config_.reports_interval = absl::Milliseconds(10);
    FillAddresses(config_);
  }
  ~AppTest() override {
    StopApp();
    StopMeta();
  }

  void StartApp() {
    app_ = std::make_unique<TwinApp>(config_, clock_, log::Logger::Null());
    ASSERT_THAT(app_->Start(), IsOk());
    stub_ = v1::TwinService::NewStub(
        *rpc::MakeChannel({.target = app_->addresses()["api"], .own_connection = true}));
  }
  void StopApp() {
    if (app_ == nullptr) return;
    app_->Drain(absl::Now() + absl::Seconds(5));
    app_->Stop();
    app_.reset();
  }
  void StartMeta() {
    meta_.SetOver(false);
    grpc::ServerBuilder builder;
    builder.AddListeningPort(config_.meta_address, grpc::InsecureServerCredentials());
    builder.RegisterService(&meta_);
    meta_server_ = builder.BuildAndStart();
    ASSERT_NE(meta_server_, nullptr);
  }
  void StopMeta() {
    meta_.SetOver(true);
    if (meta_server_ != nullptr) meta_server_->Shutdown(std::chrono::system_clock::now());
    meta_server_.reset();
  }
  // Registers a mapper of the protocol at `path`.
  absl::StatusOr<v1beta1::MapperRegisterResponse> RegisterMapper(const std::string& path) {
    const auto stub = v1beta1::DeviceManagerService::NewStub(
        *rpc::MakeChannel({.target = app_->addresses()["dmi"], .own_connection = true}));
    v1beta1::MapperRegisterRequest request;
    request.set_withdata(true);
    request.mutable_mapper()->set_name("pumps");
    request.mutable_mapper()->set_protocol("modbus");
    request.mutable_mapper()->set_address(path);
    v1beta1::MapperRegisterResponse response;
    const absl::Status status =
        rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
          return stub->MapperRegister(context, request, &response);
        });
    if (!status.ok()) return status;
    return response;
  }
  absl::StatusOr<v1::Twin> Get() {
    v1::GetTwinRequest request;
    request.set_name(kPump);
    v1::Twin twin;
    absl::Status status = rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->GetTwin(context, request, &twin);
    });
    if (!status.ok()) return status;
    return twin;
  }
  v1::WriteTwinResponse Report(const std::string& level) {
    v1::WriteTwinRequest request;
    request.set_name(kPump);
    request.set_writer("mapper");
    (*request.mutable_reported())["level"].set_value(level);
    v1::WriteTwinResponse response;
    EXPECT_THAT(rpc::CallUnary(absl::Seconds(20),
                               [&](grpc::ClientContext* context) {
                                 return stub_->WriteTwin(context, request, &response);
                               }),
                IsOk());
    return response;
  }
  // Waits until the device is there, or is not.
  bool Await(bool there) {
    const absl::Time limit = absl::Now() + absl::Seconds(20);
    while (Get().ok() != there) {
      if (absl::Now() > limit) return false;
    }
    return true;
  }

  testing::TempDir folder_;
  TwinConfig config_;
  SystemClock clock_;
  OneDeviceMeta meta_;
  std::unique_ptr<grpc::Server> meta_server_;
  std::unique_ptr<TwinApp> app_;
  std::unique_ptr<v1::TwinService::Stub> stub_;
};

TEST_F(AppTest, IsReadyWithoutItsNeighbours) {
  StartApp();
  EXPECT_TRUE(app_->readiness().ready());
  EXPECT_THAT(Get().status(), HasReason("DEVICE_UNKNOWN"));
}

TEST_F(AppTest, ATwinOutlivesTheServiceAndItsNeighbours) {
  StartApp();
  StartMeta();
  ASSERT_TRUE(Await(true));
  const v1::WriteTwinResponse response = Report("1.5");
  StopApp();
  StopMeta();
  StartApp();
  const absl::StatusOr<v1::Twin> twin = Get();
  ASSERT_THAT(twin, IsOk());
  EXPECT_EQ(twin->properties().at("target").desired().value(), "20");
  EXPECT_EQ(twin->properties().at("level").reported().value(), "1.5");
  EXPECT_EQ(twin->version(), response.after().version());
}

TEST_F(AppTest, AMapperIsToldAfterARestartWithoutRegisteringAgain) {
  FakeMapper mapper(folder_.File("pumps.sock"));
  mapper.Start();
  StartApp();
  StartMeta();
  ASSERT_TRUE(Await(true));
  const auto answer = RegisterMapper(mapper.path());
  ASSERT_THAT(answer, IsOk());
  ASSERT_EQ(answer->devicelist_size(), 1);
  mapper.Take(*answer);
  StopApp();
  StopMeta();
  meta_.bound = false;
  StartMeta();
  StartApp();
  EXPECT_TRUE(mapper.Await([](const FakeMapper::State& state) { return state.devices.empty(); }));
}

TEST_F(AppTest, ADeviceThatWasUnboundMeanwhileIsGone) {
  StartApp();
  StartMeta();
  ASSERT_TRUE(Await(true));
  StopApp();
  StopMeta();
  meta_.bound = false;
  StartMeta();
  StartApp();
  EXPECT_TRUE(Await(false));
}

TEST_F(AppTest, WhatIsReportedGoesUp) {
  StartApp();
  StartMeta();
  ASSERT_TRUE(Await(true));
  Report("1.5");
  hubclient::FakeEdgehub hub(config_.hub_address);
  ASSERT_TRUE(hub.Await([&] { return hub.events().size() == 1; }));
  const auto registration = hub.registration();
  EXPECT_EQ(registration.spoke(), "twin-svc");
  EXPECT_EQ(registration.event_streams(0).priority(), edgehub::v1::EventStream::PRIORITY_TELEMETRY);
  ASSERT_TRUE(hub.Await([&] {
    v1::TwinReport report;
    if (!report.ParseFromString(hub.reports()[{"twins", "plant/pump-1"}].value)) return false;
    const auto level = report.twin().properties().find("level");  // Not in one that came before.
    return level != report.twin().properties().end() && level->second.reported().value() == "1.5";
  }));
}

TEST_F(AppTest, AStateThatAMapperReportsIsTheTwinsAndGoesUp) {
  StartApp();
  StartMeta();
  ASSERT_TRUE(Await(true));
  const auto dmi = v1beta1::DeviceManagerService::NewStub(
      *rpc::MakeChannel({.target = app_->addresses()["dmi"], .own_connection = true}));
  v1beta1::ReportDeviceStatesRequest request;
  request.set_devicenamespace("plant");
  request.set_devicename("pump-1");
  request.set_state("online");
  v1beta1::ReportDeviceStatesResponse response;
  ASSERT_THAT(rpc::CallUnary(absl::Seconds(20),
                             [&](grpc::ClientContext* context) {
                               return dmi->ReportDeviceStates(context, request, &response);
                             }),
              IsOk());
  EXPECT_EQ(Get()->state().state(), "online");
  EXPECT_EQ(Get()->state().writer(), "mapper");
  hubclient::FakeEdgehub hub(config_.hub_address);
  EXPECT_TRUE(hub.Await([&] {
    v1::TwinReport report;
    EXPECT_TRUE(report.ParseFromString(hub.reports()[{"twins", "plant/pump-1"}].value));
    return report.twin().state().state() == "online";
  }));
}

TEST_F(AppTest, ACallFromTheCloudIsAnswered) {
  StartApp();
  StartMeta();
  ASSERT_TRUE(Await(true));
  hubclient::FakeEdgehub hub(config_.hub_address);
  ASSERT_TRUE(hub.Await([&] { return hub.registrations() == 1; }));
  v1::MethodCall call;
  call.set_device("plant/pump-1");
  call.set_method("start");
  hub.SendCommand("k1", "devicemethods", call.SerializeAsString());
  EXPECT_THAT(rpc::FromProto(hub.AwaitCommand("k1").status()), HasReason("MAPPER_AWAY"));
}

TEST_F(AppTest, ReadingsNeedRoomForTwinsBesideThem) {
  config_.readings_bytes_max = config_.size_bytes_max;
  app_ = std::make_unique<TwinApp>(config_, clock_, log::Logger::Null());
  EXPECT_EQ(app_->Start().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::twin
