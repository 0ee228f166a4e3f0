#include "services/edged-svc/adapters/grpc_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <future>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "services/lib/rpc/server.h"

namespace skerry::edged {
namespace {

using tcp = boost::asio::ip::tcp;
using ::testing::HasSubstr;

class GrpcProbeTest : public ::testing::Test {
 protected:
  std::string Check(int32_t port, const std::string& service = "",
                    absl::Duration timeout = absl::Seconds(30)) {
    std::promise<absl::Status> promise;
    probes_->Check("127.0.0.1", port, service, timeout,
                   [&](absl::Status status) { promise.set_value(std::move(status)); });
    const absl::Status status = promise.get_future().get();
    EXPECT_TRUE(status.ok() || absl::IsFailedPrecondition(status)) << status;
    return std::string(status.message());
  }

  // Connections are made by the kernel, and nobody ever looks at them.
  boost::asio::io_context io_;
  tcp::acceptor silent_{io_, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)};
  std::optional<GrpcProbes> probes_{std::in_place};
};

TEST_F(GrpcProbeTest, SaysWhatTheServerSays) {
  auto server = rpc::Server::Create({.listen = "127.0.0.1:0"}, {});
  ASSERT_TRUE(server.ok()) << server.status();
  const std::string address = (*server)->address();
  int32_t port = 0;
  ASSERT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
  EXPECT_EQ(Check(port), R"(service unhealthy (responded with "NOT_SERVING"))");
  (*server)->SetServing(true);
  EXPECT_EQ(Check(port), "");
  EXPECT_THAT(Check(port, "no.such.Service"), HasSubstr("error: health rpc probe failed: "));
  server->reset();
  EXPECT_THAT(Check(port), HasSubstr("error: health rpc probe failed: "));
}

// [edged-3.6]
TEST_F(GrpcProbeTest, OneThatHangsEndsInTimeAndWithItsOwner) {
  const int32_t port = silent_.local_endpoint().port();
  EXPECT_THAT(Check(port, "", absl::Milliseconds(20)), HasSubstr("did not complete within 20ms"));
  std::promise<absl::Status> hanging;
  probes_->Check("127.0.0.1", port, "", absl::Hours(1),
                 [&](absl::Status status) { hanging.set_value(std::move(status)); });
  probes_.reset();
  EXPECT_FALSE(hanging.get_future().get().ok());
}

}  // namespace
}  // namespace skerry::edged
