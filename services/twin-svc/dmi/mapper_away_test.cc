// Devices whose mapper is away, over gRPC.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/dmi/mapper_desk.h"
#include "services/twin-svc/testing/dmi_fixture.h"

namespace skerry::twin {
namespace {

using skerry::testing::IsOk;

const absl::Time kSeen = absl::FromUnixSeconds(1'800'000'000);

class MapperAwayTest : public DmiTest {
 protected:
  static constexpr absl::Duration kAwayAfter = absl::Milliseconds(400);

  void SetUp() override { Start(); }
  void Start() {
    StartMappers({.away_after = kAwayAfter});
    PutModel();
    for (const char* name : {"a", "b", "c"}) PutDevice(name, 1, "1");
    PutDevice("meter", 1, "5", "mqtt");
    follower_->OnSynced();
  }
  void Says(const std::string& device, const std::string& state) {
    const std::string writer = mappers_->ReportedBy(*DeviceName::Make("plant", device));
    ASSERT_THAT(DoWrite(device, {.state = StateReport{state, "", writer, kSeen}}), IsOk());
  }
  // A mapper has reported of all of them, and is killed; then that is known.
  void LoseMapper() {
    mapper_.Start();
    Attach(mapper_);
    Says("a", "online");
    Says("b", "ok");
    Says("c", "offline");
    Says("meter", "online");
    mapper_.Stop();
    ASSERT_TRUE(UntilStateIs("a", "unknown"));
    ASSERT_TRUE(UntilStateIs("b", "unknown"));
  }
  DeviceState StateOf(const std::string& device) {
    return (*desk_->Get(*DeviceName::Make("plant", device)))->state;
  }
  bool UntilStateIs(const std::string& device, const std::string& state) {
    return Until([&] { return StateOf(device).state == state; });
  }
  // Waits for the desk's thread.
  bool Until(const std::function<bool()>& good) {
    v1beta1::MapperRegisterRequest nothing = Registration("x", "/x");
    nothing.set_withdata(false);
    const absl::Time limit = absl::Now() + absl::Seconds(30);
    while (!good()) {
      if (absl::Now() > limit) return false;
      Register(nothing).IgnoreError();
    }
    return true;
  }
};

// [twin-4.6]
TEST_F(MapperAwayTest, DevicesThatWereOnlineAreUnknown) {
  LoseMapper();
  const DeviceState state = StateOf("a");
  EXPECT_EQ(state.reason, "mapper pumps is away");
  EXPECT_EQ(state.writer, "twin-svc");
  EXPECT_EQ(state.last_seen, kSeen);
  EXPECT_EQ(StateOf("c").state, "offline");
  EXPECT_EQ(StateOf("meter").state, "online") << "it has no mapper";
  EXPECT_TRUE(Until([&] { return metrics_.away.Value() == 1; }));
}

// [twin-4.6] As KubeEdge's mappers may do.
TEST_F(MapperAwayTest, WhatItWasComesBackWhereTheMapperSaysNothing) {
  LoseMapper();
  mapper_.Start();
  EXPECT_TRUE(UntilStateIs("a", "online"));
  EXPECT_TRUE(UntilStateIs("b", "ok"));
  EXPECT_EQ(StateOf("a").reason, "");
  EXPECT_EQ(StateOf("a").last_seen, kSeen) << "nobody has seen it since";
  EXPECT_EQ(StateOf("c").state, "offline");
  EXPECT_EQ(metrics_.away.Value(), 0);
}

// [twin-4.6]
TEST_F(MapperAwayTest, WhatTheMapperSaysStands) {
  LoseMapper();
  mapper_.Start();
  Attach(mapper_);
  Says("a", "offline");
  EXPECT_TRUE(UntilStateIs("b", "ok"));
  EXPECT_EQ(StateOf("a").state, "offline");
  EXPECT_EQ(StateOf("a").writer, "mapper:pumps");
}

// [twin-4.6]
TEST_F(MapperAwayTest, AcrossRestartsOfThisService) {
  mapper_.Start();
  Attach(mapper_);
  Says("a", "online");
  Says("b", "ok");
  StopMappers();
  mapper_.Stop();
  Start();
  EXPECT_TRUE(UntilStateIs("a", "unknown"));
  EXPECT_TRUE(UntilStateIs("b", "unknown"));
  StopMappers();
  mapper_.Start();
  Start();
  EXPECT_TRUE(UntilStateIs("a", "online"));
  EXPECT_TRUE(UntilStateIs("b", "online"));
}

// [twin-4.6]
TEST_F(MapperAwayTest, ADeviceThatComesWhileTheMapperIsAway) {
  LoseMapper();
  DropDevice("a");
  PutDevice("a", 1, "1", "mqtt");
  Says("a", "online");
  PutDevice("a", 2, "1");
  EXPECT_TRUE(UntilStateIs("a", "unknown"));
}

// [twin-4.6]
TEST_F(MapperAwayTest, WhatCouldNotBeStoredIsTriedAgain) {
  mapper_.Start();
  Attach(mapper_);
  Says("a", "online");
  twin_store_.Fail(absl::ResourceExhaustedError("the disk is full"));
  mapper_.Stop();
  EXPECT_TRUE(Until([&] { return metrics_.away.Value() == 1; }));
  EXPECT_EQ(StateOf("a").state, "online");
  twin_store_.Fail(absl::OkStatus());
  EXPECT_TRUE(UntilStateIs("a", "unknown"));
}

// [twin-4.6] As one whose process is stopped.
TEST_F(MapperAwayTest, AMapperThatHangsIsAway) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(mapper_.path().size(), sizeof(address.sun_path));
  std::strcpy(address.sun_path, mapper_.path().c_str());
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(listen(listener, 64), 0);
  Attach(mapper_);
  Says("a", "online");
  EXPECT_TRUE(UntilStateIs("a", "unknown"));
  close(listener);
  unlink(mapper_.path().c_str());
}

// [twin-4.6] As KubeEdge's.
TEST_F(MapperAwayTest, AMapperWithoutHealthIsThere) {
  LoseMapper();
  grpc::EnableDefaultHealthCheckService(false);
  grpc::CallbackGenericService knows_nothing;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + mapper_.path(), grpc::InsecureServerCredentials());
  builder.RegisterCallbackGenericService(&knows_nothing);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);
  EXPECT_TRUE(UntilStateIs("a", "online"));
  StopMappers();
  server->Shutdown();
}

// [twin-4.6]
TEST_F(MapperAwayTest, AMapperThatReportsIsThere) {
  LoseMapper();
  mappers_->ReportedBy(*DeviceName::Parse("plant/a"));
  EXPECT_TRUE(Until([&] { return metrics_.away.Value() == 0; }));
}

}  // namespace
}  // namespace skerry::twin
