#include "services/lib/metrics/ops_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace skerry::metrics {
namespace {

// Connects to the port of `address` at 127.0.0.1.
int Connect(const std::string& address) {
  int port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return fd;
}

// Sends `request` and reads until the server closes.
std::string Exchange(const std::string& address, const std::string& request) {
  const int fd = Connect(address);
  EXPECT_EQ(send(fd, request.data(), request.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  for (ssize_t n = 0; (n = recv(fd, buffer, sizeof buffer, 0)) > 0;)
    answer.append(buffer, static_cast<size_t>(n));
  close(fd);
  return answer;
}

std::string Get(const std::string& address, const std::string& path) {
  return Exchange(address, absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
}

class OpsServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto server = OpsServer::Create("127.0.0.1:0", registry_, [this] { return waiting_for_; });
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }

  Registry registry_{"test-svc"};
  std::string waiting_for_;
  std::unique_ptr<OpsServer> server_;
};

TEST_F(OpsServerTest, ServesMetricsOnTheBoundPort) {
  EXPECT_FALSE(absl::EndsWith(server_->address(), ":0"));
  const std::string answer = Get(server_->address(), "/metrics");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200")) << answer;
  EXPECT_TRUE(absl::StrContains(answer, "text/plain; version=0.0.4"));
  EXPECT_TRUE(absl::StrContains(answer, "skerry_build_info{"));
}

TEST_F(OpsServerTest, IsLiveWhileItWaitsForOthers) {
  waiting_for_ = "edgehub-svc";
  EXPECT_TRUE(absl::StartsWith(Get(server_->address(), "/livez"), "HTTP/1.1 200"));
  const std::string answer = Get(server_->address(), "/readyz");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 503")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "waiting for edgehub-svc\n")) << answer;
  waiting_for_.clear();
  EXPECT_TRUE(absl::StartsWith(Get(server_->address(), "/readyz"), "HTTP/1.1 200"));
}

TEST_F(OpsServerTest, ServesNothingElse) {
  for (const char* path : {"/", "/etc/passwd", "/../etc/passwd", "/metrics/x", "/metricsx"}) {
    const std::string answer = Get(server_->address(), path);
    EXPECT_FALSE(absl::StartsWith(answer, "HTTP/1.1 200")) << path << answer;
  }
  EXPECT_TRUE(absl::StartsWith(
      Exchange(server_->address(), "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
      "HTTP/1.1 405"));
  const std::string head = Exchange(server_->address(), "HEAD /livez HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(head, "\r\n\r\n")) << head;
}

TEST_F(OpsServerTest, RefusesOversizedAndBrokenRequests) {
  const std::string large = Exchange(
      server_->address(), "GET /metrics HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n");
  EXPECT_FALSE(absl::StartsWith(large, "HTTP/1.1 200")) << large;
  EXPECT_FALSE(absl::StartsWith(Exchange(server_->address(), "\r\n\r\n\x01\x02 nonsense\r\n\r\n"),
                                "HTTP/1.1 200"));
  EXPECT_TRUE(absl::StartsWith(Get(server_->address(), "/livez"), "HTTP/1.1 200"));
}

TEST_F(OpsServerTest, SilentClientsHoldUpNobody) {
  std::vector<int> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(Connect(server_->address()));
  EXPECT_TRUE(absl::StartsWith(Get(server_->address(), "/livez?verbose"), "HTTP/1.1 200"));
  for (int fd : silent) close(fd);
}

TEST_F(OpsServerTest, StopsAtOnceWithClientsConnected) {
  const int fd = Connect(server_->address());
  const absl::Time before = absl::Now();
  server_.reset();
  EXPECT_LT(absl::Now() - before, absl::Seconds(1));
  close(fd);
}

TEST_F(OpsServerTest, RefusesATakenPortAndABadAddress) {
  EXPECT_EQ(OpsServer::Create(server_->address(), registry_, [] { return ""; }).status().code(),
            absl::StatusCode::kUnavailable);
  for (const char* bad : {"", "9100", ":", ":9100", "127.0.0.1:x", "127.0.0.1:70000"}) {
    EXPECT_EQ(OpsServer::Create(bad, registry_, [] { return ""; }).status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
}

}  // namespace
}  // namespace skerry::metrics
