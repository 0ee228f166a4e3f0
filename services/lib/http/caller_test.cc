#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/http/server.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::http {
namespace {

using skerry::testing::HasReason;
using skerry::testing::StatusIs;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

// A server that tells what it was asked.
class CallerTest : public ::testing::Test {
 protected:
  CallerTest() {
    server_ = *Server::Create({}, [this](Request request, std::shared_ptr<Responder> responder) {
      Handle(std::move(request), std::move(responder));
    });
  }
  ~CallerTest() override { server_->Shutdown(absl::Now()); }

  void Handle(Request request, std::shared_ptr<Responder> responder) {
    ++requests_;
    if (request.path == "/silent") {
      kept_ = std::move(responder);
      arrived_.Notify();
      return;
    }
    if (request.path == "/moved")
      return responder->Send({.status = 302, .headers = {{"Location", "/elsewhere"}}});
    if (request.path == "/large") return responder->Send({.body = std::string(5000, 'x')});
    std::string text = absl::StrCat(request.method, " ", request.target, "\n");
    for (const auto& [name, value] : request.headers)
      absl::StrAppend(&text, name, "=", value, "\n");
    responder->Send({.status = 207,
                     .headers = {{"X-Own", "1"}, {"Set-Cookie", "a"}, {"Set-Cookie", "b"}},
                     .body = absl::StrCat(text, "\n", request.body)});
  }

  std::string Url(const std::string& path) {
    return absl::StrCat("http://", server_->address(), path);
  }

  std::atomic<int> requests_ = 0;
  absl::Notification arrived_;
  std::shared_ptr<Responder> kept_;
  std::unique_ptr<Server> server_;
  BeastCaller caller_{{.body_bytes_max = 4096}};
};

TEST_F(CallerTest, PassesMethodTargetHeadersAndBody) {
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET"}) {
    const auto answer =
        caller_.Perform({.method = method,
                         .url = Url("/a/b%20c?x=%2F"),
                         .headers = {{"X-Empty", ""}, {"X-Two", "2"}, {"Host", "other"}},
                         .body = "body"});
    SKERRY_ASSERT_OK(answer);
    EXPECT_EQ(answer->status, 207);
    EXPECT_THAT(answer->body,
                AllOf(HasSubstr(absl::StrCat(method, " /a/b%20c?x=%2F\n")), HasSubstr("x-empty=\n"),
                      HasSubstr("x-two=2\n"), HasSubstr("\n\nbody"), Not(HasSubstr("other")),
                      Not(HasSubstr("content-type"))));
    EXPECT_THAT(answer->headers,
                AllOf(Contains(Pair("X-Own", "1")), Contains(Pair("Set-Cookie", "a")),
                      Contains(Pair("Set-Cookie", "b")),
                      Not(Contains(Pair("Content-Length", ::testing::_)))));
  }
}

TEST_F(CallerTest, AHeadHasNoBody) {
  const auto answer = caller_.Perform({.method = "HEAD", .url = Url("/x")});
  SKERRY_ASSERT_OK(answer);
  EXPECT_EQ(answer->status, 207);
  EXPECT_EQ(answer->body, "");
}

TEST_F(CallerTest, FollowsNoRedirect) {
  const auto answer = caller_.Perform({.url = Url("/moved")});
  SKERRY_ASSERT_OK(answer);
  EXPECT_EQ(answer->status, 302);
  EXPECT_THAT(answer->headers, Contains(Pair("Location", "/elsewhere")));
  EXPECT_EQ(requests_, 1);
}

TEST_F(CallerTest, UsesNoProxyOfTheEnvironment) {
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  EXPECT_THAT(caller_.Perform({.url = Url("/x")}), skerry::testing::IsOk());
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
}

TEST_F(CallerTest, BoundsTheAnswer) {
  const auto answer = caller_.Perform({.url = Url("/large")});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(answer, HasReason("HTTP_ANSWER_TOO_LARGE"));
  BeastCaller strict({.headers_bytes_max = 20});
  EXPECT_THAT(strict.Perform({.url = Url("/x")}), HasReason("HTTP_ANSWER_TOO_LARGE"));
}

TEST_F(CallerTest, EndsAtItsTimeout) {
  const auto answer = caller_.Perform({.url = Url("/silent"), .timeout = absl::Milliseconds(50)});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(answer, HasReason("HTTP_TIMEOUT"));
}

TEST_F(CallerTest, EndsWhenItIsStopped) {
  std::stop_source stop;
  std::thread stopper([&] {
    arrived_.WaitForNotification();
    stop.request_stop();
  });
  EXPECT_THAT(caller_.Perform(
                  {.url = Url("/silent"), .timeout = absl::Minutes(1), .stop = stop.get_token()}),
              StatusIs(absl::StatusCode::kCancelled));
  stopper.join();
}

TEST_F(CallerTest, RefusesHeadersThatWouldBeTwo) {
  EXPECT_THAT(caller_.Perform({.url = Url("/x"), .headers = {{"X", "a\r\nY: b"}}}),
              HasReason("HTTP_CALL_INVALID"));
  EXPECT_THAT(caller_.Perform({.url = Url("/x"), .headers = {{"X: a\r\nY", "b"}}}),
              HasReason("HTTP_CALL_INVALID"));
  EXPECT_THAT(caller_.Perform({.url = "file:///etc/passwd"}), HasReason("HTTP_CALL_INVALID"));
  EXPECT_EQ(requests_, 0);
}

TEST_F(CallerTest, TellsWhatNothingWasSentTo) {
  const std::string gone = Url("/x");
  server_->Shutdown(absl::Now());
  const auto answer = caller_.Perform({.url = gone});
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(answer, HasReason("HTTP_UNREACHABLE"));
}

}  // namespace
}  // namespace skerry::http
