// Real calls of a real HTTP server.
#include "services/servicebus-svc/runner/service_caller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/http/server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::servicebus {
namespace {

using skerry::testing::HasReason;
using skerry::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

struct Outcome {
  absl::Status status;
  std::string response;
  v1::HttpResult Result() const {
    v1::HttpResult result;
    EXPECT_TRUE(result.ParseFromString(response));
    return result;
  }
};

class ServiceCallerTest : public ::testing::Test {
 protected:
  ServiceCallerTest() {
    server_ = *http::Server::Create(
        {.body_bytes_max = 1 << 20, .workers = 8},
        [this](http::Request request, std::shared_ptr<http::Responder> responder) {
          Handle(request, std::move(responder));
        });
    Make({});
  }
  ~ServiceCallerTest() override {
    calls_.reset();
    std::vector<std::shared_ptr<http::Responder>> held;
    {
      absl::MutexLock lock(&mutex_);  // A call may be on its way in still.
      held.swap(held_);
    }
    held.clear();
    server_->Shutdown(absl::Now());
  }

  void Make(ServiceCaller::Options options) {
    calls_.reset();
    calls_ = std::make_unique<ServiceCaller>(
        options,
        *HttpAllowList::Parse("calls.allowed",
                              {absl::StrCat("http://", server_->address(), "/open")}),
        caller_, clock_, metrics_);
  }

  void Handle(const http::Request& request, std::shared_ptr<http::Responder> responder) {
    if (request.path == "/open/hold") {
      absl::MutexLock lock(&mutex_);
      held_.push_back(std::move(responder));
      return;
    }
    if (request.path == "/open/large")
      return responder->Send({.body = std::string((256 << 10) - 8, 'x')});
    if (request.path == "/open/moved")
      return responder->Send({.status = 307, .headers = {{"Location", "http://10.0.0.1/"}}});
    responder->Send(
        {.status = 404,
         .headers = {{"X-Own", "yes"}},
         .body = absl::StrCat(request.method, " ", request.target, " ", request.Header("x-in"),
                              " key=", request.Header("idempotency-key"), " ", request.body)});
  }
  void AwaitHeld(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return held_.size() >= count; };
    ASSERT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
  }
  void Release() {
    absl::MutexLock lock(&mutex_);
    for (auto& responder : held_) responder->Send({});
    held_.clear();
  }

  v1::HttpCall To(const std::string& path) {
    v1::HttpCall call;
    call.set_method("POST");
    call.set_url(absl::StrCat("http://", server_->address(), path));
    return call;
  }
  // Answers later.
  std::shared_ptr<std::pair<absl::Notification, Outcome>> Begin(
      const std::string& payload, absl::Duration deadline = absl::Seconds(30)) {
    auto slot = std::make_shared<std::pair<absl::Notification, Outcome>>();
    calls_->Call({.key = "k1", .type = "http", .payload = payload, .deadline = deadline},
                 [slot](absl::Status status, std::string response) {
                   slot->second = {std::move(status), std::move(response)};
                   slot->first.Notify();
                 });
    return slot;
  }
  Outcome Call(const v1::HttpCall& call, absl::Duration deadline = absl::Seconds(30)) {
    const auto slot = Begin(call.SerializeAsString(), deadline);
    EXPECT_TRUE(slot->first.WaitForNotificationWithTimeout(absl::Seconds(30)));
    return slot->second;
  }

  metrics::Registry registry_{"servicebus-svc"};
  ServiceBusMetrics metrics_{registry_};
  SystemClock clock_;
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<http::Responder>> held_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<http::Server> server_;
  http::BeastCaller caller_{{.body_bytes_max = 256u << 10}};
  std::unique_ptr<ServiceCaller> calls_;
};

// [sb-1.2]
TEST_F(ServiceCallerTest, GivesWhatTheServiceAnswered) {
  v1::HttpCall call = To("/open/a?x=1");
  call.set_body("body");
  v1::Header& header = *call.add_headers();
  header.set_name("X-In");
  header.set_value("in");
  const Outcome outcome = Call(call);
  SKERRY_ASSERT_OK(outcome.status);
  const v1::HttpResult result = outcome.Result();
  EXPECT_EQ(result.status(), 404);
  EXPECT_EQ(result.body(), "POST /open/a?x=1 in key=k1 body");
  bool own = false;
  for (const auto& h : result.headers()) own = own || (h.name() == "X-Own" && h.value() == "yes");
  EXPECT_TRUE(own);
  EXPECT_EQ(metrics_.calls.at("done")->Value(), 1);
}

TEST_F(ServiceCallerTest, KeepsTheCallersIdempotencyKey) {
  v1::HttpCall call = To("/open/a");
  v1::Header& header = *call.add_headers();
  header.set_name("idempotency-key");
  header.set_value("own");
  EXPECT_THAT(Call(call).Result().body(), HasSubstr("key=own"));
}

// [sb-1.1]
TEST_F(ServiceCallerTest, CallsOnlyWhatIsAllowed) {
  EXPECT_THAT(Call(To("/closed")).status, StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(Call(To("/openx")).status, HasReason("CALL_NOT_ALLOWED"));
  EXPECT_THAT(Call(To("/open/../closed")).status, HasReason("URL_INVALID"));
  EXPECT_THAT(Call(To("/open/%2e%2e/closed")).status, HasReason("URL_INVALID"));
  const Outcome moved = Call(To("/open/moved"));
  SKERRY_ASSERT_OK(moved.status);
  EXPECT_EQ(moved.Result().status(), 307);
}

TEST_F(ServiceCallerTest, RefusesWhatIsNoCall) {
  const auto garbage = Begin("\xff\xff");
  garbage->first.WaitForNotification();
  EXPECT_THAT(garbage->second.status, HasReason("CALL_INVALID"));
  v1::HttpCall call = To("/open/a");
  call.set_method("CONNECT");
  EXPECT_THAT(Call(call).status, HasReason("CALL_INVALID"));
  call = To("/open/a");
  call.add_headers()->set_name("bad name");
  EXPECT_THAT(Call(call).status, HasReason("CALL_INVALID"));
  EXPECT_EQ(metrics_.calls.at("refused")->Value(), 3);
}

// [sb-1.3]
TEST_F(ServiceCallerTest, SaysThatAnAnswerWasTooLarge) {
  const Outcome outcome = Call(To("/open/large"));
  EXPECT_THAT(outcome.status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(outcome.status, HasReason("HTTP_ANSWER_TOO_LARGE"));
  EXPECT_EQ(metrics_.calls.at("too_large")->Value(), 1);
}

// [sb-1.4]
TEST_F(ServiceCallerTest, EndsAtTheDeadline) {
  EXPECT_THAT(Call(To("/open/hold"), absl::Milliseconds(50)).status, HasReason("HTTP_TIMEOUT"));
  Make({.timeout_max = absl::Milliseconds(50)});
  EXPECT_THAT(Call(To("/open/hold")).status, HasReason("HTTP_TIMEOUT"));
  EXPECT_EQ(metrics_.calls.at("timeout")->Value(), 2);
}

// [sb-1.5]
TEST_F(ServiceCallerTest, BoundsWhatRunsAndWaits) {
  Make({.workers = 1, .waiting_max = 1});
  const std::string payload = To("/open/hold").SerializeAsString();
  const auto first = Begin(payload);
  AwaitHeld(1);
  const auto second =
      Begin(payload, absl::Milliseconds(1));  // Its time is over when its turn comes.
  const auto third = Begin(payload);
  third->first.WaitForNotification();
  EXPECT_THAT(third->second.status, HasReason("CALLS_BUSY"));
  EXPECT_FALSE(first->first.HasBeenNotified());
  Release();
  first->first.WaitForNotification();
  SKERRY_EXPECT_OK(first->second.status);
  second->first.WaitForNotification();
  EXPECT_THAT(second->second.status, Not(skerry::testing::IsOk()));
}

TEST_F(ServiceCallerTest, TellsAServiceThatIsAway) {
  const v1::HttpCall call = To("/open/a");
  server_->Shutdown(absl::Now());
  EXPECT_THAT(Call(call).status, HasReason("HTTP_UNREACHABLE"));
}

// [sb-1.6]
TEST_F(ServiceCallerTest, LeavesUnansweredWhatItCutsOff) {
  const auto held = Begin(To("/open/hold").SerializeAsString());
  AwaitHeld(1);
  calls_->Drain(clock_.Monotonic());  // Its time is over.
  const auto late = Begin(To("/open/a").SerializeAsString());
  late->first.WaitForNotification();
  EXPECT_THAT(late->second.status, HasReason("DRAINING"));
  calls_->Stop();
  EXPECT_FALSE(held->first.HasBeenNotified());
  EXPECT_EQ(metrics_.calls.at("unknown")->Value(), 1);
}

TEST_F(ServiceCallerTest, DrainsWhatRuns) {
  const auto held = Begin(To("/open/hold").SerializeAsString());
  AwaitHeld(1);
  Release();
  calls_->Drain(clock_.Monotonic() + absl::Seconds(20));
  EXPECT_TRUE(held->first.HasBeenNotified());
}

}  // namespace
}  // namespace skerry::servicebus
