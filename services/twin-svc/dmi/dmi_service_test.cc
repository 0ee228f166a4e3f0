// DeviceManagerService, as mappers call it.
#include "services/twin-svc/dmi/dmi_service.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/testing/dmi_fixture.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::StatusIs;
using skerry::testing::StatusIsWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ListingSink final : public StateSink {
 public:
  void ReportState(const DeviceName& device, const std::string& state, const std::string& writer,
                   absl::AnyInvocable<void(absl::Status)> done) override {
    states.push_back(absl::StrCat(device.value(), " ", state, " ", writer));
    done(device.name() == "none" ? absl::NotFoundError("no such") : absl::OkStatus());
  }
  std::vector<std::string> states;
};

class DmiServiceTest : public DmiTest {
 protected:
  void SetUp() override {
    StartMappers();
    PutModel();
    PutDevice("a", 1, "10");
    follower_->OnSynced();
    Serve(&sink_);
  }
  ~DmiServiceTest() override { server_.reset(); }

  void Serve(StateSink* sink) {
    server_.reset();
    service_ = std::make_unique<DmiServiceImpl>(*mappers_, *desk_, sink, clock_, metrics_);
    server_ = *rpc::Server::Create({.listen = "unix:" + dir_.File("dmi.sock")}, {service_.get()});
    stub_ = v1beta1::DeviceManagerService::NewStub(
        *rpc::MakeChannel({.target = server_->address(), .own_connection = true}));
  }
  static v1beta1::ReportDeviceStatusRequest Report(const std::string& device) {
    v1beta1::ReportDeviceStatusRequest request;
    request.set_devicename(device);
    request.set_devicenamespace("plant");
    return request;
  }
  static v1beta1::Twin* Add(v1beta1::ReportDeviceStatusRequest& request,
                            const std::string& property, const std::string& value) {
    v1beta1::Twin* twin = request.mutable_reporteddevice()->add_twins();
    twin->set_propertyname(property);
    twin->mutable_observeddesired();
    twin->mutable_reported()->set_value(value);
    (*twin->mutable_reported()->mutable_metadata())["timestamp"] = "1700000000000";
    return twin;
  }
  absl::Status Send(const v1beta1::ReportDeviceStatusRequest& request) {
    v1beta1::ReportDeviceStatusResponse response;
    return rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->ReportDeviceStatus(context, request, &response);
    });
  }
  absl::Status SendState(const std::string& device, const std::string& state) {
    v1beta1::ReportDeviceStatesRequest request;
    request.set_devicename(device);
    request.set_devicenamespace("plant");
    request.set_state(state);
    v1beta1::ReportDeviceStatesResponse response;
    return rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->ReportDeviceStates(context, request, &response);
    });
  }
  Property PropertyOf(const std::string& name) {
    return (*desk_->Get(*DeviceName::Parse("plant/a")))->properties.at(name);
  }

  ListingSink sink_;
  std::unique_ptr<DmiServiceImpl> service_;
  std::unique_ptr<rpc::Server> server_;
  std::unique_ptr<v1beta1::DeviceManagerService::Stub> stub_;
};

TEST_F(DmiServiceTest, AMapperRegisters) {
  v1beta1::MapperRegisterResponse response;
  const auto call = [&](const v1beta1::MapperRegisterRequest& request) {
    return rpc::CallUnary(absl::Seconds(20), [&](grpc::ClientContext* context) {
      return stub_->MapperRegister(context, request, &response);
    });
  };
  ASSERT_THAT(call(Registration("pumps", mapper_.path())), IsOk());
  ASSERT_EQ(response.devicelist_size(), 1);
  EXPECT_EQ(response.devicelist(0).name(), "a");
  EXPECT_THAT(call(Registration("pumps", mapper_.path(), "")),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("mapper.protocol")));
}

// [twin-4.4]
TEST_F(DmiServiceTest, WhatIsReportedIsInTheTwin) {
  mapper_.Start();
  Attach(mapper_);
  v1beta1::ReportDeviceStatusRequest report = Report("a");
  Add(report, "level", "2.5");
  Add(report, "target", "9")->mutable_observeddesired()->set_value("7");
  ASSERT_THAT(Send(report), IsOk());
  const Property level = PropertyOf("level");
  EXPECT_EQ(level.reported->value, "2.5");
  EXPECT_EQ(level.reported->metadata.at("timestamp"), "1700000000000");
  EXPECT_EQ(level.reported->writer, "mapper:pumps");
  EXPECT_EQ(PropertyOf("target").reported->value, "9");
  EXPECT_EQ(PropertyOf("target").desired()->value, "10") << "a mapper desires nothing";
  EXPECT_EQ(metrics_.reports_ok.Value(), 1);
}

TEST_F(DmiServiceTest, WhatWasNotReadIsNotWritten) {
  v1beta1::ReportDeviceStatusRequest report = Report("a");
  Add(report, "level", "2.5");
  ASSERT_THAT(Send(report), IsOk());
  // As KubeEdge's contract has it, and with neither.
  v1beta1::ReportDeviceStatusRequest empty = Report("a");
  empty.mutable_reporteddevice()->add_twins()->set_propertyname("level");
  v1beta1::Twin& other = *empty.mutable_reporteddevice()->add_twins();
  other.set_propertyname("level");
  other.mutable_reported();
  other.mutable_observeddesired()->set_value("3");
  ASSERT_THAT(Send(empty), IsOk());
  EXPECT_EQ(PropertyOf("level").reported->value, "2.5");
}

// [twin-4.4]
TEST_F(DmiServiceTest, RefusesWhatTheModelDoesNotAllow) {
  v1beta1::ReportDeviceStatusRequest report = Report("a");
  Add(report, "target", "9");
  Add(report, "level", "high");
  const absl::Status status = Send(report);
  EXPECT_THAT(status, HasReason("VALUE_TYPE"));
  EXPECT_THAT(status, StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("level")));
  EXPECT_FALSE(PropertyOf("target").reported.has_value()) << "all or nothing";
  EXPECT_EQ(metrics_.reports_refused.Value(), 1);
}

TEST_F(DmiServiceTest, RefusesWhatIsNoReport) {
  EXPECT_THAT(Send(Report("a")),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("twins")));
  v1beta1::ReportDeviceStatusRequest report = Report("none");
  Add(report, "level", "1");
  EXPECT_THAT(Send(report), HasReason("DEVICE_UNKNOWN"));
  report.set_devicename("No Such");
  EXPECT_THAT(Send(report), StatusIs(absl::StatusCode::kInvalidArgument));
  report = Report("a");
  Add(report, "a b", "1");
  EXPECT_THAT(Send(report), HasReason("PROPERTY_NAME"));
  report = Report("a");
  (*Add(report, "level", "1")->mutable_reported()->mutable_metadata())["x"] =
      std::string(9 << 10, 'x');
  EXPECT_THAT(Send(report), StatusIsWith(absl::StatusCode::kInvalidArgument,
                                         HasSubstr("twins[0].reported.metadata")));
  report = Report("a");
  for (int i = 0; i <= 1000; ++i) Add(report, absl::StrCat("p", i), "1");
  EXPECT_THAT(Send(report), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(DmiServiceTest, StatesGoToTheirSink) {
  EXPECT_THAT(SendState("a", "online"), IsOk());
  EXPECT_THAT(SendState("none", "OFFLINE"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(SendState("a", ""),
              StatusIsWith(absl::StatusCode::kInvalidArgument, HasSubstr("state")));
  EXPECT_THAT(SendState("a", std::string(65, 's')), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(sink_.states, ElementsAre("plant/a online mapper", "plant/none OFFLINE mapper"));
  Serve(nullptr);
  EXPECT_THAT(SendState("a", "online"), StatusIs(absl::StatusCode::kUnimplemented));
}

}  // namespace
}  // namespace skerry::twin
