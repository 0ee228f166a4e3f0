// What servers do to a caller, byte for byte.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/http/testing/raw_server.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::http {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using skerry::testing::RawConnection;
using skerry::testing::RawServer;
using skerry::testing::StatusIs;
using ::testing::HasSubstr;

constexpr char kHead[] = "\r\n\r\n";
constexpr char kOk[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class CallerWireTest : public ::testing::Test {
 protected:
  void Serve(RawServer::Script script, bool ipv6 = false) {
    server_ = std::make_unique<RawServer>(std::move(script), ipv6);
  }
  // Answers each connection with these bytes, and closes.
  void Answer(std::string bytes) {
    Serve([bytes](RawConnection& connection, int) {
      connection.ReadUntil(kHead);
      connection.Send(bytes);
    });
  }
  absl::StatusOr<CallAnswer> Get(absl::Duration timeout = absl::Seconds(20)) {
    return caller_.Perform(
        {.url = absl::StrCat("http://", server_->address(), "/x"), .timeout = timeout});
  }

  std::unique_ptr<RawServer> server_;
  BeastCaller caller_{{.body_bytes_max = 100, .headers_bytes_max = 1000}};
  BeastCaller keeper_{{.idle_connections_max = 2}};
};

TEST_F(CallerWireTest, TakesAnswersOfAllLengths) {
  for (const char* text :
       {kOk, "HTTP/1.0 200 OK\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}) {
    Answer(text);
    const auto answer = Get();
    ASSERT_THAT(answer, IsOk()) << text;
    EXPECT_EQ(answer->body, "ok") << text;
  }
}

TEST_F(CallerWireTest, WaitsForNoBodyWhereThereIsNone) {
  for (const char* head : {"HTTP/1.1 204 No Content\r\n\r\n",
                           "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n"}) {
    Serve([head](RawConnection& connection, int) {
      connection.ReadUntil(kHead);
      connection.Send(head);
      connection.AwaitEnd();
    });
    const auto answer = Get();
    ASSERT_THAT(answer, IsOk()) << head;
    EXPECT_EQ(answer->body, "");
  }
  Serve([](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n");
    connection.AwaitEnd();
  });
  EXPECT_THAT(
      caller_.Perform({.method = "HEAD", .url = absl::StrCat("http://", server_->address(), "/x")}),
      IsOk());
}

TEST_F(CallerWireTest, BoundsWhatItReads) {
  Serve([](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    connection.Send("HTTP/1.1 200 OK\r\n");
    while (connection.Send("X-Endless: headers\r\n")) {
    }
  });
  EXPECT_THAT(Get(), HasReason("HTTP_ANSWER_TOO_LARGE"));
  Serve([](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    connection.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (connection.Send("5\r\nbytes\r\n")) {
    }
  });
  const auto answer = Get();
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(answer, HasReason("HTTP_ANSWER_TOO_LARGE"));
}

TEST_F(CallerWireTest, ASlowServerDoesNotOutlastTheTimeout) {
  Serve([](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    connection.AwaitEnd();
  });
  const auto answer = Get(absl::Milliseconds(50));
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(answer, HasReason("HTTP_TIMEOUT"));
}

TEST_F(CallerWireTest, AServerThatReadsNothingDoesNotEither) {
  Serve([](RawConnection& connection, int) { connection.ReadUntil(kHead); });
  EXPECT_THAT(
      caller_
          .Perform({.method = "POST",
                    .url = absl::StrCat("http://", server_->address(), "/x"),
                    .body = std::string(16u << 20, 'x'),
                    .timeout = absl::Milliseconds(50)})
          .status()
          .code(),
      ::testing::AnyOf(absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kUnavailable));
}

// As curl: an answer that comes while the body is still on its way is an answer.
TEST_F(CallerWireTest, TakesARefusalBeforeTheWholeBodyIsSent) {
  Serve([](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    connection.Send("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\n\r\n");
    connection.AwaitEnd();
  });
  const auto answer = keeper_.Perform({.method = "POST",
                                       .url = absl::StrCat("http://", server_->address(), "/x"),
                                       .body = std::string(64u << 20, 'x')});
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(answer->status, 413);
}

TEST_F(CallerWireTest, TellsThatAConnectionBroke) {
  Serve([](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    connection.Reset();
  });
  EXPECT_THAT(Get(), HasReason("HTTP_BROKEN"));
  Answer("");
  EXPECT_THAT(Get(), HasReason("HTTP_BROKEN"));
  Answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell");
  const auto cut = Get();
  EXPECT_THAT(cut, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(cut, HasReason("HTTP_BROKEN"));
  EXPECT_THAT(std::string(cut.status().message()), HasSubstr("breaks off"));
  Answer("SSH-2.0-OpenSSH_9.2\r\n");
  EXPECT_THAT(Get(), HasReason("HTTP_BROKEN"));
  EXPECT_EQ(server_->connections(), 1) << "a request is not sent twice";
}

TEST_F(CallerWireTest, CallsIpv6) {
  Serve(
      [](RawConnection& connection, int) {
        const std::string head = connection.ReadUntil(kHead);
        connection.Send(absl::StrContains(head, "\r\nHost: [::1]:") ? kOk : "");
      },
      true);
  EXPECT_THAT(Get(), IsOk());
}

TEST_F(CallerWireTest, LooksNamesUp) {
  Answer(kOk);
  const std::string port = server_->address().substr(server_->address().rfind(':'));
  EXPECT_THAT(caller_.Perform({.url = absl::StrCat("http://localhost", port, "/")}), IsOk());
  const auto unknown = caller_.Perform({.url = "http://no-such-host.invalid/"});
  EXPECT_THAT(unknown, HasReason("HTTP_UNREACHABLE"));
  EXPECT_THAT(std::string(unknown.status().message()), HasSubstr("no-such-host.invalid"));
}

TEST_F(CallerWireTest, StopsWhileItWaits) {
  absl::Notification arrived;
  Serve([&arrived](RawConnection& connection, int) {
    connection.ReadUntil(kHead);
    arrived.Notify();
    connection.AwaitEnd();
  });
  std::stop_source stop;
  std::thread stopper([&] {
    arrived.WaitForNotification();
    stop.request_stop();
  });
  EXPECT_THAT(caller_.Perform({.url = absl::StrCat("http://", server_->address(), "/x"),
                               .timeout = absl::Minutes(1),
                               .stop = stop.get_token()}),
              StatusIs(absl::StatusCode::kCancelled));
  stopper.join();
}

TEST_F(CallerWireTest, KeepsAConnectionForTheNextCall) {
  Serve([](RawConnection& connection, int) {
    while (!connection.ReadUntil(kHead).empty()) connection.Send(kOk);
  });
  const std::string url = absl::StrCat("http://", server_->address(), "/x");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(keeper_.Perform({.url = url}), IsOk());
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(CallerWireTest, OpensAnotherWhereTheServerClosedTheKeptOne) {
  absl::Notification closed;
  Serve([&closed](RawConnection& connection, int number) {
    connection.ReadUntil(kHead);
    connection.Send(kOk);
    if (number > 0) return;
    shutdown(connection.fd(), SHUT_RDWR);
    closed.Notify();
  });
  const std::string url = absl::StrCat("http://", server_->address(), "/x");
  EXPECT_THAT(keeper_.Perform({.url = url}), IsOk());
  closed.WaitForNotification();
  EXPECT_THAT(keeper_.Perform({.url = url}), IsOk());
}

// It closes when it has read the second request: nobody can know before.
TEST_F(CallerWireTest, SendsAgainWhereTheKeptOneBreaksUnanswered) {
  Serve([](RawConnection& connection, int number) {
    connection.ReadUntil(kHead);
    connection.Send(kOk);
    if (number == 0) connection.ReadUntil(kHead);
  });
  const std::string url = absl::StrCat("http://", server_->address(), "/x");
  EXPECT_THAT(keeper_.Perform({.url = url}), IsOk());
  EXPECT_THAT(keeper_.Perform({.url = url}), IsOk());
}

TEST_F(CallerWireTest, DoesNotSendAgainWhatWasAnsweredInPart) {
  Serve([](RawConnection& connection, int number) {
    connection.ReadUntil(kHead);
    connection.Send(kOk);
    if (number > 0) return;
    connection.ReadUntil(kHead);
    connection.Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
  });
  const std::string url = absl::StrCat("http://", server_->address(), "/x");
  EXPECT_THAT(keeper_.Perform({.url = url}), IsOk());
  EXPECT_THAT(keeper_.Perform({.url = url}), HasReason("HTTP_BROKEN"));
}

}  // namespace
}  // namespace skerry::http
