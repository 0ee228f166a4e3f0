// A kubelet that says too little, too much, or no end.
#include "services/lib/kubeapi/pod_proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <signal.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/http/testing/raw_server.h"
#include "services/lib/pipe/testing/fake_stream.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

using skerry::testing::RawConnection;
using skerry::testing::RawServer;
using ::testing::HasSubstr;

// What the client gets: an answer, or the connection.
struct Outcome {
  http::Response response;
  bool passed_on = false;
};

class TestResponder final : public http::Responder {
 public:
  explicit TestResponder(std::shared_ptr<pipe::testing::FakeStream> client)
      : client_(std::move(client)) {}
  void Send(http::Response response) override { outcome.set_value({std::move(response), false}); }
  std::shared_ptr<http::ResponseStream> Stream(
      int, std::vector<std::pair<std::string, std::string>>) override {
    return nullptr;
  }
  std::shared_ptr<pipe::ByteStream> TakeConnection() override {
    outcome.set_value({{}, true});
    return client_;
  }
  std::promise<Outcome> outcome;

 private:
  const std::shared_ptr<pipe::testing::FakeStream> client_;
};

class PodProxyTest : public ::testing::Test {
 protected:
  using Say = std::function<bool(const std::string& bytes)>;  // False: nobody listens any more.

  PodProxyTest() {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to connections that have ended.
    const auto ca = *security::CertificateAuthority::Create("ca", absl::Now());
    const auto own = *ca->Issue({.subject = {.common_name = "kubelet"},
                                 .ip_addresses = {"127.0.0.1"},
                                 .now = absl::Now(),
                                 .for_server = true});
    SSL_CTX_use_certificate_file(context_.get(), folder_.Write("crt", own.certificate_pem).c_str(),
                                 SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), folder_.Write("key", own.key_pem).c_str(),
                                SSL_FILETYPE_PEM);
  }
  // The kubelet has the request; `answer` speaks. `answered`: the client has its outcome.
  Outcome Ask(bool log, const std::function<void(const Say&)>& answer,
              absl::Duration timeout = absl::Minutes(1), absl::Notification* answered = nullptr) {
    RawServer kubelet([&](RawConnection& connection, int) {
      const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context_.get()), SSL_free);
      SSL_set_fd(ssl.get(), connection.fd());
      if (SSL_accept(ssl.get()) != 1) return;
      char request[4096];
      SSL_read(ssl.get(), request, sizeof request);
      answer([&](const std::string& bytes) {
        return SSL_write(ssl.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
      });
    });
    const std::string address = kubelet.address();
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    const auto responder = std::make_shared<TestResponder>(client_);
    PodProxy proxy({}, timeout);
    proxy.Serve({.request = {.method = "GET", .remote = "127.0.0.1:1"},
                 .pod = "web",
                 .log = log,
                 .kubelet = {"127.0.0.1", static_cast<uint16_t>(port)},
                 .target = "/containerLogs/default/web/nginx"},
                responder);
    Outcome outcome = responder->outcome.get_future().get();
    if (answered != nullptr) answered->Notify();
    return outcome;
  }
  static std::string Often(const std::string& text) {
    std::string all;
    while (all.size() < 10000) all += text;
    return all;
  }

  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{SSL_CTX_new(TLS_server_method()),
                                                                   SSL_CTX_free};
  skerry::testing::TempDir folder_;
  const std::shared_ptr<pipe::testing::FakeStream> client_ =
      std::make_shared<pipe::testing::FakeStream>();
};

TEST_F(PodProxyTest, PassesOnWhatTheKubeletAgreesTo) {
  const Outcome agreed = Ask(true, [](const Say& say) {
    say("HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\nhello");
  });
  EXPECT_TRUE(agreed.passed_on);
  const Outcome upgraded = Ask(false, [](const Say& say) {
    say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\n");
    say("\r\nframes");
  });
  EXPECT_TRUE(upgraded.passed_on);
  EXPECT_TRUE(Ask(false, [](const Say& say) {
                say("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno");
              }).passed_on);
}

TEST_F(PodProxyTest, ARefusalOfALogBecomesAStatus) {
  const Outcome refused = Ask(true, [](const Say& say) {
    say("HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n");
    say("4\r\n yet\r\n0\r\n\r\n");
  });
  EXPECT_EQ(refused.response.status, 400);
  EXPECT_THAT(refused.response.body, HasSubstr("\"not yet\""));
}

TEST_F(PodProxyTest, WhatIsNoAnswerIsABadGateway) {
  for (const char* answer : {"", "HTTP/1.1 200 OK\r\n", "SSH-2.0\r\n\r\n"}) {
    const Outcome broken = Ask(true, [answer](const Say& say) { say(answer); });
    EXPECT_EQ(broken.response.status, 502) << answer;
  }
}

TEST_F(PodProxyTest, HeadersHaveABound) {
  for (const bool log : {true, false}) {
    for (const char* text : {"X: 1\r\n", "x"}) {
      const Outcome endless = Ask(log, [text](const Say& say) {
        say("HTTP/1.1 200 OK\r\nX: 1\r\n");
        while (say(Often(text))) {
        }
      });
      EXPECT_EQ(endless.response.status, 502) << text;
      EXPECT_THAT(endless.response.body, HasSubstr("too long")) << text;
    }
  }
}

// Nor are its error, the head of a chunk of it, or its trailers kept or awaited without an end.
TEST_F(PodProxyTest, ARefusalHasABound) {
  for (const std::string begin : {"", "8;x", "8\r\n01234567\r\n0\r\nX: "}) {
    const Outcome refused = Ask(true, [&begin](const Say& say) {
      say(absl::StrCat("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n", begin));
      while (say(begin.empty() ? "4\r\noops\r\n" : Often("x"))) {
      }
    });
    EXPECT_EQ(refused.response.status, 500) << begin;
    EXPECT_LT(refused.response.body.size(), 100u << 10);
  }
}

TEST_F(PodProxyTest, AnAnswerHasItsTime) {
  for (const char* begin :
       {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\noops"}) {
    absl::Notification answered;
    const Outcome late = Ask(
        true,
        [&](const Say& say) {
          if (*begin != '\0') say(begin);
          answered.WaitForNotification();
        },
        absl::Milliseconds(50), &answered);
    EXPECT_EQ(late.response.status, 504) << begin;
    EXPECT_THAT(late.response.body, HasSubstr("within 50ms")) << begin;
  }
}

}  // namespace
}  // namespace skerry::kubeapi
