// The whole service between a hub in this process, a service of the box and a local program.
#include "services/servicebus-svc/app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/http/server.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/hubclient/testing/fake_edgehub.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::servicebus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class AppTest : public ::testing::Test {
 protected:
  AppTest() {
    service_ = *http::Server::Create(
        {}, [](const http::Request& request, const std::shared_ptr<http::Responder>& responder) {
          responder->Send({.status = 201, .body = absl::StrCat(request.path, " ", request.body)});
        });
    config_.edgehub_address = absl::StrCat("unix:", folder_.File("edgehub.sock"));
    config_.meta_address = absl::StrCat("unix:", folder_.File("edge-meta.sock"));
    config_.edgehub_reconnect_max = absl::Milliseconds(100);
    config_.calls_allowed = {absl::StrCat("http://", service_->address(), "/open")};
    config_.posts_listen = "127.0.0.1:0";
    config_.posts_target_urls = {"http://shop/orders"};
  }
  ~AppTest() override {
    if (app_ != nullptr) app_->Stop();
    service_->Shutdown(absl::Now());
  }

  void StartApp() {
    app_ = std::make_unique<ServiceBusApp>(config_, clock_, log::Logger::Null());
    ASSERT_THAT(app_->Start(), IsOk());
  }
  void AwaitReady() {
    // The listener may hear of later changes, too.
    auto ready = std::make_shared<absl::Notification>();
    app_->readiness().OnChange([ready](bool now) {
      if (now && !ready->HasBeenNotified()) ready->Notify();
    });
    ASSERT_TRUE(ready->WaitForNotificationWithTimeout(absl::Seconds(20)));
  }
  std::string CallTo(const std::string& path) {
    v1::HttpCall call;
    call.set_method("POST");
    call.set_url(absl::StrCat("http://", service_->address(), path));
    call.set_body("ping");
    return call.SerializeAsString();
  }

  skerry::testing::TempDir folder_;
  SystemClock clock_;
  std::unique_ptr<http::Server> service_;
  hubclient::FakeEdgehub hub_{absl::StrCat("unix:", folder_.File("edgehub.sock"))};
  ServiceBusConfig config_;
  std::unique_ptr<ServiceBusApp> app_;
};

TEST_F(AppTest, CallsServicesForTheCloud) {
  StartApp();
  AwaitReady();
  EXPECT_THAT(hub_.registration().command_types(), ElementsAre("http"));
  hub_.SendCommand("k1", "http", CallTo("/open/x"));
  const edgehub::v1::CommandDone done = hub_.AwaitCommand("k1");
  EXPECT_THAT(rpc::FromProto(done.status()), IsOk());
  v1::HttpResult result;
  ASSERT_TRUE(result.ParseFromString(done.response()));
  EXPECT_EQ(result.status(), 201);
  EXPECT_EQ(result.body(), "/open/x ping");
  hub_.SendCommand("k2", "http", CallTo("/closed"));
  EXPECT_THAT(rpc::FromProto(hub_.AwaitCommand("k2").status()), HasReason("CALL_NOT_ALLOWED"));
}

TEST_F(AppTest, JournalsWhatLocalProgramsPost) {
  StartApp();
  const auto answer = skerry::testing::Fetch(
      {.url = absl::StrCat("http://", app_->addresses().at("posts"), "/"),
       .method = "POST",
       .body = R"({"method":"POST","targetURL":"http://shop/orders","payload":{"n":7}})"});
  EXPECT_THAT(answer.body, HasSubstr(R"("code":200)"));
  ASSERT_EQ(hub_.events().size(), 1u);
  EXPECT_EQ(hub_.events()[0].stream, "servicebus");
  EXPECT_EQ(hub_.events()[0].key, "http://shop/orders");
  v1::ServicePost post;
  ASSERT_TRUE(post.ParseFromString(hub_.events()[0].value));
  EXPECT_EQ(post.payload(), R"({"n":7})");
  ASSERT_EQ(hub_.registration().event_streams_size(), 1);
  EXPECT_EQ(hub_.registration().event_streams(0).when_full(),
            edgehub::v1::EventStream::WHEN_FULL_REFUSE);
}

TEST_F(AppTest, TakesNoPostsWhereItDoesNotListen) {
  config_.posts_listen.clear();
  StartApp();
  AwaitReady();
  EXPECT_EQ(app_->addresses().count("posts"), 0u);
  EXPECT_EQ(hub_.registration().event_streams_size(), 0);
}

TEST_F(AppTest, DrainsAndStops) {
  StartApp();
  AwaitReady();
  app_->Drain(absl::Now() + absl::Seconds(5));
  app_->Stop();
}

}  // namespace
}  // namespace skerry::servicebus
