#include "services/lib/postgres/knock.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::postgres {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Takes connections, and says nothing.
class SilentServer {
 public:
  SilentServer() {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 8), 0);
    EXPECT_EQ(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentServer() { close(fd_); }

  ConnectionSettings Settings() const {
    return *ReadConnection(absl::StrCat("host=127.0.0.1 dbname=d user=u port=", port_),
                           absl::Seconds(1), absl::Seconds(1));
  }

 private:
  const int fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
};

TEST(KnockTest, ASilentServerIsGivenUp) {
  const SilentServer server;
  const absl::Status status =
      Knock(server.Settings(), absl::Milliseconds(20), [](absl::Duration) { return false; });
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_AWAY");
}

TEST(KnockTest, EndsAtOnceThoughTheServerIsSilent) {
  const SilentServer server;
  int asked = 0;
  EXPECT_TRUE(absl::IsCancelled(
      Knock(server.Settings(), absl::Hours(1), [&asked](absl::Duration) { return ++asked > 2; })));
}

TEST(StatusOfRefusalTest, TellsWhatPassesFromWhatDoesNot) {
  constexpr char kAway[] = "DATABASE_AWAY", kRefuses[] = "DATABASE_REFUSES";
  const struct {
    const char* said;
    const char* reason;
  } cases[] = {
      {"connection to server at \"db\" (::1), port 5432 failed: Connection refused\n\tIs the "
       "server "
       "running on that host and accepting TCP/IP connections?\n",
       kAway},
      {"could not translate host name \"db\" to address: Name or service not known\n", kAway},
      {"server closed the connection unexpectedly\n", kAway},
      {"SSL error: certificate verify failed\n", kAway},
      {"…: FATAL:  57P03: the database system is starting up\nLOCATION:  X, postmaster.c:2\n",
       kAway},
      {"…: FATAL:  57P01: terminating connection due to administrator command\n", kAway},
      {"…: FATAL:  53300: sorry, too many clients already\nLOCATION:  X, proc.c:3\n", kAway},
      {"…: FATAL:  08P01: no more connections allowed\n", kAway},
      {"…: FATAL:  28P01: password authentication failed for user \"u\"\n", kRefuses},
      {"…: FATAL:  28000: no pg_hba.conf entry for host \"10.0.0.1\"\n", kRefuses},
      {"…: FATAL:  3D000: database \"d\" does not exist\n", kRefuses},
      {"…: VERHÄNGNISVOLL:  3D000: Datenbank »d« existiert nicht\n", kRefuses},
      {"connection to server at \"a\" failed: Connection refused\nconnection to server at \"b\" "
       "failed: "
       "FATAL:  28P01: no\nLOCATION:  auth_failed, auth.c:3\n",
       kRefuses},
      {"", kAway},
      {"x:  12", kAway},
  };
  for (const auto& [said, reason] : cases) {
    const absl::Status status = StatusOfRefusal("db:5432", said);
    EXPECT_EQ(GetErrorInfo(status).reason, reason) << said;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("db:5432"), Not(HasSubstr("LOCATION")), Not(HasSubstr("\n"))));
  }
}

}  // namespace
}  // namespace skerry::postgres
