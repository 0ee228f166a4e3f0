#include "services/lib/postgres/connection_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/lib/base/error.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::postgres {
namespace {

using ::skerry::testing::IsOk;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<ConnectionSettings> Read(const std::string& connection) {
  return ReadConnection(connection, absl::Seconds(2), absl::Seconds(5));
}

TEST(ReadConnectionTest, TheOperatorsSettingsWin) {
  const auto read = Read("host=db user=u options='-c a=b' connect_timeout=7");
  ASSERT_THAT(read, IsOk());
  EXPECT_THAT(read->text, HasSubstr("connect_timeout='7'"));
  EXPECT_THAT(read->text, HasSubstr("options='-c a=b -c statement_timeout=5000"));
  EXPECT_THAT(Read("host=db")->text, HasSubstr("connect_timeout='2'"));
}

TEST(ReadConnectionTest, NamesTheServerAndNotThePassword) {
  EXPECT_EQ(Read("postgresql://u:secret@db.example.com:6432/d")->server, "db.example.com:6432");
  EXPECT_EQ(Read("host=a,b port=1,2 password=secret")->server, "a,b:1,2");
  EXPECT_EQ(Read("hostaddr=10.0.0.1 password=secret")->server, "10.0.0.1");
  EXPECT_EQ(Read("postgresql:///d?host=/run/postgresql")->server, "/run/postgresql");
  EXPECT_EQ(Read("dbname=d")->server, "the local socket");
}

TEST(ReadConnectionTest, AnAbstractSocketIsAHost) { EXPECT_THAT(Read("host=@skerry"), IsOk()); }

// What libpq makes of them: host "cret@db"; port "se"; database "cret@db/d"; port 70000; and none.
TEST(ReadConnectionTest, ShowsNoPartOfAPasswordThatEndsEarly) {
  for (const char* url :
       {"postgresql://u:se@cret@db/d", "postgresql://u:se/cret@db/d", "postgres://u:5/cret@db/d",
        "host=db port=70000 password=secret", "host=db pasword=secret"}) {
    const absl::Status status = Read(url).status();
    EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_URL") << url << ": " << status;
    EXPECT_THAT(status.message(), Not(HasSubstr("cret"))) << url;
  }
}

}  // namespace
}  // namespace skerry::postgres
