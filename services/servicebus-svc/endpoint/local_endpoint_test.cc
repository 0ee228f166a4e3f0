#include "services/servicebus-svc/endpoint/local_endpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/http/testing/curl_client.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::servicebus {
namespace {

using ::testing::HasSubstr;

class LocalEndpointTest : public ::testing::Test {
 protected:
  LocalEndpointTest() {
    endpoint_ = *LocalEndpoint::Create({.listen = "127.0.0.1:0"}, targets_, queue_, executor_,
                                       metrics_, registry_);
  }
  ~LocalEndpointTest() override { endpoint_->Shutdown(absl::Now()); }

  skerry::testing::CurlAnswer Post(const std::string& body, const std::string& method = "POST") {
    return skerry::testing::Fetch({.url = absl::StrCat("http://", endpoint_->address(), "/"),
                                   .method = method,
                                   .body = body});
  }

  static constexpr char kGood[] =
      R"({"method":"POST","targetURL":"http://shop/orders","payload":{"a":1}})";
  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"servicebus-svc"};
  ServiceBusMetrics metrics_{registry_};
  TargetUrls targets_{{"http://shop/orders"}, metrics_};
  exec::SerialExecutor executor_{"posts", clock_};
  bool stores_ = true;
  absl::Notification put_;
  PostQueue::EventsDone held_;
  PostQueue queue_{{.producer = "p"},
                   [this](hubclient::EventBatch batch, PostQueue::EventsDone done) {
                     if (stores_) return done({.stored = batch.events.size()});
                     held_ = std::move(done);
                     put_.Notify();
                   },
                   clock_,
                   metrics_};
  std::unique_ptr<LocalEndpoint> endpoint_;
};

// [sb-2.1]
TEST_F(LocalEndpointTest, AnswersWhatIsStored) {
  const auto answer = Post(kGood);
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(R"("code":200)"));
  EXPECT_EQ(metrics_.posts.at("stored")->Value(), 1);
}

// [sb-2.2]
TEST_F(LocalEndpointTest, RefusesOthers) {
  for (const auto& answer : {Post(R"({"method":"POST","targetURL":"http://other","payload":1})"),
                             Post("x"), Post(kGood, "PUT"), Post("", "GET")}) {
    EXPECT_EQ(answer.status, 200);
    EXPECT_THAT(answer.body, HasSubstr(R"("code":400)"));
  }
  EXPECT_EQ(Post(std::string(600 << 10, 'x')).status, 413);
  EXPECT_EQ(metrics_.posts.at("refused")->Value(), 4);
}

// [sb-2.3]
TEST_F(LocalEndpointTest, SaysThatItIsNotStoredInTime) {
  stores_ = false;
  skerry::testing::CurlAnswer answer;
  std::thread client([&] { answer = Post(kGood); });
  put_.WaitForNotification();
  clock_.Advance(absl::Seconds(60));
  client.join();
  EXPECT_THAT(answer.body, HasSubstr(R"("code":408)"));
  held_({.stored = 1});  // Nobody is told twice.
  EXPECT_EQ(metrics_.posts.at("late")->Value(), 1);
  EXPECT_EQ(metrics_.posts.at("stored")->Value(), 0);
}

TEST_F(LocalEndpointTest, ListensOnLoopbackOnly) {
  EXPECT_FALSE(LocalEndpoint::Create({.listen = "0.0.0.0:0"}, targets_, queue_, executor_, metrics_,
                                     registry_)
                   .ok());
}

}  // namespace
}  // namespace skerry::servicebus
