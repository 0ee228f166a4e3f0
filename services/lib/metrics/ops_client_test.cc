#include "services/lib/metrics/ops_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/metrics/ops_server.h"
#include "services/lib/metrics/registry.h"

namespace skerry::metrics {
namespace {

using ::testing::HasSubstr;

TEST(OpsClientTest, SaysWhetherTheServiceIsReadyAndWhatItWaitsFor) {
  Registry registry("a-svc");
  std::string waiting_for = "the hub";
  auto server = OpsServer::Create("127.0.0.1:0", registry, [&] { return waiting_for; });
  ASSERT_TRUE(server.ok()) << server.status();
  const absl::Status waiting = AskReady((*server)->address(), absl::Seconds(5));
  EXPECT_EQ(waiting.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(waiting.message()), HasSubstr("the hub"));
  waiting_for.clear();
  EXPECT_EQ(AskReady((*server)->address(), absl::Seconds(5)), absl::OkStatus());
}

TEST(OpsClientTest, NothingListens) {
  std::string address;
  {
    Registry registry("a-svc");
    auto server = OpsServer::Create("127.0.0.1:0", registry, [] { return ""; });
    ASSERT_TRUE(server.ok()) << server.status();
    address = (*server)->address();
  }
  const absl::Status status = AskReady(address, absl::Seconds(5));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()), HasSubstr("refused"));
}

// A process that was stopped (SIGSTOP) accepts and says nothing.
TEST(OpsClientTest, SilenceEndsInTime) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ASSERT_EQ(listen(fd, 1), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size), 0);
  const int port = ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  EXPECT_EQ(AskReady(absl::StrCat("127.0.0.1:", port), absl::Milliseconds(50)).code(),
            absl::StatusCode::kUnavailable);
  close(fd);
}

TEST(OpsClientTest, AnAddressWithoutAPortIsRefused) {
  EXPECT_EQ(AskReady("localhost", absl::Seconds(5)).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::metrics
