#include "services/lib/postgres/knock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/postgres/testing/silent_server.h"

namespace skerry::postgres {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

ConnectionSettings SettingsOf(const skerry::testing::SilentServer& server) {
  return *ReadConnection(absl::StrCat("host=127.0.0.1 dbname=d user=u port=", server.port()),
                         absl::Seconds(1), absl::Seconds(1));
}

TEST(KnockTest, ASilentServerIsGivenUp) {
  const skerry::testing::SilentServer server;
  const absl::Status status =
      Knock(SettingsOf(server), absl::Milliseconds(20), [](absl::Duration) { return false; });
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_AWAY");
}

TEST(KnockTest, EndsAtOnceThoughTheServerIsSilent) {
  const skerry::testing::SilentServer server;
  int asked = 0;
  EXPECT_TRUE(absl::IsCancelled(
      Knock(SettingsOf(server), absl::Hours(1), [&asked](absl::Duration) { return ++asked > 2; })));
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
