#include "tools/skerryctl/top/processes.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "services/lib/testing/temp_dir.h"
#include "tools/skerryctl/top/link_rtt.h"

namespace skerry::skerryctl {
namespace {

// A socket of this test, open as long as it lives.
class Socket {
 public:
  explicit Socket(int family) : fd_(socket(family, SOCK_STREAM, 0)) {}
  ~Socket() { close(fd_); }
  int fd() const { return fd_; }

 private:
  const int fd_;
};

TEST(ProcessesTest, ThisOne) {
  const auto usage = ReadProcess(getpid());
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->pid, getpid());
  EXPECT_EQ(usage->name, "processes_test");
  EXPECT_GT(usage->start_ticks, 0);
  EXPECT_GT(usage->resident_bytes, 100 << 10);
  ASSERT_TRUE(usage->proportional_bytes.has_value());
  EXPECT_GT(*usage->proportional_bytes, 0);
  EXPECT_FALSE(ReadProcess(0).has_value());
}

TEST(ProcessesTest, WhoServesASocketIsFound) {
  const testing::TempDir dir;
  const std::string path = dir.File("twin.sock");
  EXPECT_FALSE(ServerOf(path).has_value());
  EXPECT_FALSE(ServerOf(std::string(200, 'x')).has_value());
  const Socket server(AF_UNIX);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(bind(server.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_FALSE(ServerOf(path).has_value());  // Nobody listens.
  ASSERT_EQ(listen(server.fd(), 5), 0);
  EXPECT_EQ(ServerOf(path), getpid());
  bool found = false;
  for (const ProcessUsage& process : BoxProcesses(dir.path()))
    found = found || process.pid == getpid();
  EXPECT_TRUE(found);
}

TEST(LinkRttTest, OfAConnectionOfTheProcess) {
  const Socket server(AF_INET), client(AF_INET);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(server.fd(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(server.fd(), 1), 0);
  ASSERT_EQ(getsockname(server.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const uint16_t port = ntohs(address.sin_port);
  EXPECT_FALSE(ConnectionRtt(getpid(), port).has_value());
  ASSERT_EQ(connect(client.fd(), reinterpret_cast<const sockaddr*>(&address), size), 0);
  const auto rtt = ConnectionRtt(getpid(), port);
  ASSERT_TRUE(rtt.has_value());
  EXPECT_GT(*rtt, absl::ZeroDuration());
  EXPECT_LT(*rtt, absl::Seconds(5));
  EXPECT_FALSE(ConnectionRtt(1, port).has_value());
}

}  // namespace
}  // namespace skerry::skerryctl
