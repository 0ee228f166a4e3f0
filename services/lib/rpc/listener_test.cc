// A listener on loopback, and clients that only connect.
#include "services/lib/rpc/listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/lib/metrics/registry.h"

namespace skerry::rpc {
namespace {

class ListenerTest : public ::testing::Test {
 protected:
  ~ListenerTest() override {
    listener_ = nullptr;
    for (int fd : handed_over_) close(fd);
    for (int fd : clients_) close(fd);
  }

  // False if the machine has no such address.
  bool Listen(const HandshakeQueue::Config& config, const std::string& host = "127.0.0.1") {
    absl::StatusOr<std::unique_ptr<Listener>> created =
        Listener::Create(host + ":0", config, registry_);
    if (!created.ok()) return false;
    listener_ = *std::move(created);
    listener_->Start([this](int fd) {
      absl::MutexLock lock(&mutex_);
      handed_over_.push_back(fd);
    });
    return true;
  }

  // From 127.0.0.`host`.
  int Dial(int host = 1) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000000u + static_cast<uint32_t>(host));
    EXPECT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = Port();
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    clients_.push_back(fd);
    return fd;
  }

  void DialIpv6() {
    const int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in6 address = {};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    address.sin6_port = Port();
    EXPECT_EQ(connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    clients_.push_back(fd);
  }

  // The listener's, as sockets have it.
  in_port_t Port() const {
    const std::string& address = listener_->address();
    int port = 0;
    EXPECT_TRUE(absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port));
    return htons(static_cast<uint16_t>(port));
  }

  // As gRPC names it.
  static std::string NameOf(int client) {
    sockaddr_in address = {};
    socklen_t length = sizeof(address);
    getsockname(client, reinterpret_cast<sockaddr*>(&address), &length);
    return absl::StrCat("ipv4:", inet_ntoa(address.sin_addr), ":", ntohs(address.sin_port));
  }

  // The client at the other end of what was handed over at `index`.
  std::string AwaitHandOver(size_t index) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return handed_over_.size() > index; };
    if (!mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20))) return "nobody";
    sockaddr_in address = {};
    socklen_t length = sizeof(address);
    getpeername(handed_over_[index], reinterpret_cast<sockaddr*>(&address), &length);
    return absl::StrCat("ipv4:", inet_ntoa(address.sin_addr), ":", ntohs(address.sin_port));
  }

  // As gRPC ends a connection whose handshake failed.
  void Fail(size_t index) {
    absl::MutexLock lock(&mutex_);
    shutdown(handed_over_[index], SHUT_RDWR);
  }

  bool AwaitMetric(const std::string& line) {
    for (const absl::Time end = absl::Now() + absl::Seconds(20); absl::Now() < end;) {
      if (registry_.Render().find(line) != std::string::npos) return true;
    }
    return false;
  }

  metrics::Registry registry_{"test"};
  absl::Mutex mutex_;
  std::vector<int> handed_over_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> clients_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, TheNextIsHandedOverWhenOneIsDone) {
  Listen({.handshakes_max = 1, .handshake_max = absl::Hours(1)});
  const int first = Dial();
  const int second = Dial();
  const int third = Dial();
  EXPECT_EQ(AwaitHandOver(0), NameOf(first));
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_waiting 2"));
  listener_->Arrived(NameOf(first));
  EXPECT_EQ(AwaitHandOver(1), NameOf(second));
  Fail(1);
  EXPECT_EQ(AwaitHandOver(2), NameOf(third));
  listener_->Arrived("ipv4:10.1.2.3:4");
}

TEST_F(ListenerTest, WhoGivesUpWhileItWaitsIsNotHandedOver) {
  Listen({.handshakes_max = 1, .handshake_max = absl::Hours(1)});
  const int first = Dial();
  EXPECT_EQ(AwaitHandOver(0), NameOf(first));
  shutdown(Dial(), SHUT_RDWR);
  const int third = Dial();
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_dropped_total{reason=\"gone\"} 1"));
  listener_->Arrived(NameOf(first));
  EXPECT_EQ(AwaitHandOver(1), NameOf(third));
}

TEST_F(ListenerTest, OneThatStallsDoesNotHoldUpTheNext) {
  Listen({.handshakes_max = 1, .handshake_max = absl::ZeroDuration()});
  const int first = Dial();
  const int second = Dial();
  EXPECT_EQ(AwaitHandOver(0), NameOf(first));
  EXPECT_EQ(AwaitHandOver(1), NameOf(second));
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_stalls_total 2"));
}

TEST_F(ListenerTest, AFloodFromOneAddressIsClosedAndOthersGetTheirTurn) {
  Listen({.handshakes_max = 4, .waiting_max = 8, .handshake_max = absl::Hours(1)});
  for (int i = 0; i < 3; ++i) Dial();
  AwaitHandOver(2);
  // Six of these may wait.
  for (int i = 0; i < 17; ++i) Dial();
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_dropped_total{reason=\"too_many_of_address\"} 11"));
  const int other = Dial(7);
  EXPECT_EQ(AwaitHandOver(3), NameOf(other));
}

TEST_F(ListenerTest, AnAddressThatIsRefusedAgainAndAgainIsPaced) {
  Listen({.faults_max = 2, .paced_gap = absl::Hours(1), .paced_for = absl::Hours(1)});
  const int first = Dial();
  EXPECT_EQ(AwaitHandOver(0), NameOf(first));
  listener_->Arrived(NameOf(first));
  for (int i = 0; i < 2; ++i) listener_->Refused(NameOf(first));
  const int second = Dial();
  EXPECT_EQ(AwaitHandOver(1), NameOf(second));
  Fail(1);  // The third fault.
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_paced_addresses 1"));
  const int third = Dial();
  EXPECT_EQ(AwaitHandOver(2), NameOf(third));
  listener_->Arrived(NameOf(third));
  Dial();
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_waiting 1"));
  const int other = Dial(7);
  EXPECT_EQ(AwaitHandOver(3), NameOf(other));
}

TEST_F(ListenerTest, AnAddressInIpv6IsPacedAlike) {
  if (!Listen({.faults_max = 2, .paced_gap = absl::Hours(1), .paced_for = absl::Hours(1)}, "[::1]"))
    GTEST_SKIP() << "this machine has no IPv6";
  // As gRPC names them.
  for (const char* peer : {"ipv6:%5B::1%5D:5", "ipv6:%5B::1%5D:6", "ipv6:%5Bfd00::1%5D:7"})
    listener_->Refused(peer);
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_paced_addresses 0"));
  listener_->Refused("ipv6:%5B::1%5D:8");
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_paced_addresses 1"));
  DialIpv6();
  AwaitHandOver(0);
  DialIpv6();
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_waiting 1"));
}

TEST_F(ListenerTest, StopClosesWhatWaits) {
  Listen({.handshakes_max = 1, .handshake_max = absl::Hours(1)});
  Dial();
  const int waiting = Dial();
  EXPECT_TRUE(AwaitMetric("skerry_rpc_listener_waiting 1"));
  listener_->Stop();
  char byte = 0;
  EXPECT_EQ(read(waiting, &byte, 1), 0);
}

TEST_F(ListenerTest, APortThatIsTakenIsNamed) {
  Listen({});
  const absl::Status taken = Listener::Create(listener_->address(), {}, registry_).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_NE(std::string(taken.message()).find(listener_->address()), std::string::npos);
  EXPECT_EQ(Listener::Create("7", {}, registry_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::rpc
