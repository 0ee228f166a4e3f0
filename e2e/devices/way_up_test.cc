// twin-svc and edgehub-svc as they are, killed at will: of what devices report nothing is lost on
// the way up, and nothing comes twice.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"
#include "e2e/devices/child_process.h"
#include "e2e/devices/object_server.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::e2e {
namespace {

using skerry::testing::IsOk;

constexpr absl::Duration kPatience = absl::Seconds(60);
constexpr int kDevices = 5;
constexpr int kWrites = 120;

class WayUpTest : public ::testing::Test {
 protected:
  WayUpTest() {
    for (int i = 0; i < kDevices; ++i) {
      objects_.Put("devices.devices.kubeedge.io", absl::StrCat("home/d-", i),
                   absl::StrCat(R"({"metadata":{"namespace":"home","name":"d-)", i,
                                R"(","uid":"u-)", i, R"(","generation":1},"spec":{
                                "deviceModelRef":{"name":"any"},
                                "properties":[{"name":"level"}]}})"));
    }
    MakeIdentity();
    twin_stub_ = twin::v1::TwinService::NewStub(
        *rpc::MakeChannel({.target = Socket("twin"), .backoff_max = absl::Seconds(1)}));
    hub_stub_ = edgehub::v1::EdgeHubService::NewStub(
        *rpc::MakeChannel({.target = Socket("edgehub"), .backoff_max = absl::Seconds(1)}));
    hub_.Start();
    twin_.Start();
  }
  ~WayUpTest() override {
    if (HasFailure()) {
      for (const char* log : {"twin.log", "hub.log"}) {
        std::cerr << log << ":\n" << skerry::testing::ReadFileText(dir_.File(log));
      }
    }
  }

  void MakeIdentity() {
    auto ca =
        *security::CertificateAuthority::LoadOrCreate(dir_.File("ca"), "skerry-ca", absl::Now());
    security::CertificateSpec spec;
    spec.subject = {"system:node:edge-1", {"system:nodes"}};
    spec.now = absl::Now();
    spec.for_client = true;
    const security::CertificateAndKey issued = *ca->Issue(spec);
    ASSERT_THAT(security::WriteFileAtomically(dir_.File("node.pem"),
                                              issued.certificate_pem + issued.key_pem, 0600),
                IsOk());
  }
  std::string Socket(const std::string& name) {
    return absl::StrCat("unix:", dir_.File(name + ".sock"));
  }
  // Until it is answered, by the same id: as an MQTT client with QoS 1 does.
  absl::Status Report(int number) {
    twin::v1::WriteTwinRequest request;
    request.set_name(absl::StrCat("namespaces/home/devices/d-", number % kDevices, "/twin"));
    request.set_writer("client");
    request.set_request_id(absl::StrCat("e-", number));
    (*request.mutable_reported())["level"].set_value(absl::StrCat(number));
    absl::Status status;
    Until([&] {
      twin::v1::WriteTwinResponse response;
      status = rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
        return twin_stub_->WriteTwin(context, request, &response);
      });
      return status.ok();
    });
    return status;
  }
  edgehub::v1::EdgeHubStatus Status() {
    edgehub::v1::EdgeHubStatus response;
    rpc::CallUnary(absl::Seconds(5), [&](grpc::ClientContext* context) {
      return hub_stub_->GetStatus(context, {}, &response);
    }).IgnoreError();
    return response;
  }
  int64_t Readings() {
    const edgehub::v1::EdgeHubStatus status = Status();
    for (const edgehub::v1::StreamStatus& stream : status.streams()) {
      if (stream.stream() == "readings") return stream.entries();
    }
    return 0;
  }
  static bool Until(const std::function<bool()>& good) {
    const absl::Time limit = absl::Now() + kPatience;
    while (!good()) {
      if (absl::Now() > limit) return false;
    }
    return true;
  }

  skerry::testing::TempDir dir_;
  ObjectServer objects_{Socket("edge-meta")};
  // Its cloud is away.
  ChildProcess hub_{{"services/edgehub-svc/edgehub-svc", "--run_dir", dir_.path(), "--state_dir",
                     dir_.File("hub"), "--cloud_address", "127.0.0.1:1", "--tls_ca",
                     dir_.File("ca/ca.crt"), "--tls_identity", dir_.File("node.pem")},
                    dir_.File("hub.log")};
  ChildProcess twin_{
      {"services/twin-svc/twin-svc", "--run_dir", dir_.path(), "--state_dir", dir_.File("state"),
       "--meta_reconnect_max", "200ms", "--hub_reconnect_max", "200ms"},
      dir_.File("twin.log")};
  std::unique_ptr<twin::v1::TwinService::Stub> twin_stub_;
  std::unique_ptr<edgehub::v1::EdgeHubService::Stub> hub_stub_;
};

TEST_F(WayUpTest, NothingIsLostAndNothingComesTwice) {
  for (int i = 1; i <= kWrites; ++i) {
    ASSERT_THAT(Report(i), IsOk());
    if (i % 25 == 0) {
      twin_.Kill();
      twin_.Start();
    }
    if (i % 40 == 0) {
      hub_.Kill();
      hub_.Start();
    }
  }
  EXPECT_TRUE(Until([&] { return Readings() >= kWrites; })) << Readings();
  EXPECT_TRUE(Until([&] { return Status().journal().entries() == kDevices; }));
  // What is put again must not be more.
  twin_.Kill();
  twin_.Start();
  ASSERT_THAT(Report(kWrites + 1), IsOk());
  EXPECT_TRUE(Until([&] { return Readings() >= kWrites + 1; }));
  EXPECT_EQ(Readings(), kWrites + 1);
  EXPECT_EQ(twin_.Terminate(), 0);
  EXPECT_EQ(hub_.Terminate(), 0);
}

TEST_F(WayUpTest, WhatIsReportedWhileTheHubIsAwayGoesUpWhenItIsBack) {
  ASSERT_THAT(Report(1), IsOk());
  hub_.Kill();
  for (int i = 2; i <= 40; ++i) ASSERT_THAT(Report(i), IsOk());
  twin_.Kill();
  twin_.Start();
  for (int i = 41; i <= 60; ++i) ASSERT_THAT(Report(i), IsOk());
  hub_.Start();
  EXPECT_TRUE(Until([&] { return Readings() == 60; })) << Readings();
  EXPECT_TRUE(Until([&] { return Status().journal().entries() == kDevices; }));
}

}  // namespace
}  // namespace skerry::e2e
