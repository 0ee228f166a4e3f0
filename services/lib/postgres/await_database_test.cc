#include "services/lib/postgres/await_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/postgres/testing/silent_server.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::postgres {
namespace {

using ::skerry::testing::IsOk;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AwaitDatabaseTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = skerry::testing::LocalPostgres::Start();
    ASSERT_THAT(server, IsOk());
    server_ = server->release();
  }
  static void TearDownTestSuite() { delete server_; }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    auto database = server_->CreateDatabase();
    ASSERT_THAT(database, IsOk());
    connection_ = *database;
  }

  // Between two tries, of which there is one a pause: nothing here takes time.
  Patience PatienceThat(std::function<bool()> pauses) {
    return {.at_most = absl::Hours(1), .stopped = [pauses](absl::Duration wait) {
              return wait > absl::ZeroDuration() && pauses();
            }};
  }
  absl::Status Await(const std::string& connection, const Patience& patience) {
    Pool pool({.connection = connection});
    return AwaitDatabase(pool, readiness_, log_, patience);
  }
  static bool Never() {
    ADD_FAILURE() << "must not wait";
    return true;
  }

  static skerry::testing::LocalPostgres* server_;
  std::string connection_;
  process::Readiness readiness_;
  const log::Logger log_ = log::Logger::Create("test", log::Level::kInfo);
};

skerry::testing::LocalPostgres* AwaitDatabaseTest::server_ = nullptr;

TEST_F(AwaitDatabaseTest, ReturnsAtOnceWhereTheDatabaseIsThere) {
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(Await(connection_, PatienceThat(Never)), IsOk());
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_TRUE(readiness_.ready());
}

TEST_F(AwaitDatabaseTest, WaitsForAServerThatStartsLate) {
  metrics::Registry registry("test");
  Pool pool({.connection = connection_, .registry = &registry});
  server_->Crash();
  int pauses = 0;
  std::string waiting_for;
  ::testing::internal::CaptureStderr();
  Patience patience = PatienceThat([&] {
    waiting_for = readiness_.WaitingFor();
    if (++pauses == 3) {
      EXPECT_THAT(server_->Restart(), IsOk());
    }
    return false;
  });
  patience.uncounted = absl::ZeroDuration();
  const absl::Status status = AwaitDatabase(pool, readiness_, log_, patience);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(status, IsOk());
  EXPECT_EQ(pauses, 3);
  EXPECT_THAT(waiting_for, HasSubstr("PostgreSQL at /tmp/skerry-pg-"));
  EXPECT_TRUE(readiness_.ready());
  EXPECT_THAT(log, AllOf(HasSubstr("waiting for the database"), HasSubstr("DATABASE_AWAY"),
                         HasSubstr("the database is there")));
  EXPECT_EQ(log.find("waiting for"), log.rfind("waiting for")) << "one warning in ten seconds";
  EXPECT_THAT(registry.Render(),
              AllOf(HasSubstr("skerry_postgres_connects_total{result=\"failed\"} 3"),
                    HasSubstr("skerry_postgres_connects_total{result=\"ok\"} 1")));
}

// Else every machine that boots would raise SkerryDatabaseUnavailable.
TEST_F(AwaitDatabaseTest, ADatabaseThatIsSoonThereIsNoFailedConnection) {
  metrics::Registry registry("test");
  Pool pool({.connection = connection_, .registry = &registry});
  server_->Crash();
  int pauses = 0;
  Patience patience = PatienceThat([&] {
    if (++pauses == 3) {
      EXPECT_THAT(server_->Restart(), IsOk());
    }
    return false;
  });
  patience.uncounted = absl::Hours(1);
  EXPECT_THAT(AwaitDatabase(pool, readiness_, log_, patience), IsOk());
  EXPECT_THAT(registry.Render(),
              AllOf(HasSubstr("skerry_postgres_connects_total{result=\"failed\"} 0"),
                    HasSubstr("skerry_postgres_connects_total{result=\"ok\"} 1")));
}

// libpq goes on to the next one after two seconds at the least.
TEST_F(AwaitDatabaseTest, GoesOnToAnAddressThatAnswers) {
  const skerry::testing::SilentServer silent;
  const std::string folder = connection_.substr(5, connection_.find(' ') - 5);
  Pool pool({.connection = absl::StrCat("host=127.0.0.1,", folder, " port=", silent.port(),
                                        ",5432 user=postgres dbname=postgres"),
             .connect_timeout = absl::Milliseconds(20)});
  EXPECT_THAT(AwaitDatabase(pool, readiness_, log_, PatienceThat(Never)), IsOk());
}

TEST_F(AwaitDatabaseTest, EndsWhenItsTimeIsOver) {
  Patience patience = PatienceThat([] { return false; });
  patience.at_most = absl::Milliseconds(30);
  ::testing::internal::CaptureStderr();
  const absl::Status status = Await("postgresql://u:secret@%2Fnowhere:77/d", patience);
  const std::string log = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_AWAY") << status;
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("in vain"), HasSubstr("/nowhere:77"),
                    HasSubstr("store.postgres_url_file"), Not(HasSubstr("secret"))));
  EXPECT_THAT(log, Not(HasSubstr("secret")));
}

TEST_F(AwaitDatabaseTest, EndsWhenTheProcessIsToldTo) {
  int pauses = 0;
  EXPECT_TRUE(absl::IsCancelled(
      Await("host=/nowhere dbname=d", PatienceThat([&pauses] { return ++pauses == 2; }))));
  EXPECT_EQ(pauses, 2);
}

TEST_F(AwaitDatabaseTest, DoesNotWaitForWhatDoesNotPass) {
  const std::string server = connection_.substr(0, connection_.find(' '));
  const absl::Status no_database =
      Await(server + " user=postgres dbname=none", PatienceThat(Never));
  EXPECT_EQ(GetErrorInfo(no_database).reason, "DATABASE_REFUSES") << no_database;
  EXPECT_THAT(std::string(no_database.message()), HasSubstr("database \"none\" does not exist"));
  const absl::Status no_user = Await(server + " user=nobody dbname=postgres", PatienceThat(Never));
  EXPECT_EQ(GetErrorInfo(no_user).reason, "DATABASE_REFUSES") << no_user;
  EXPECT_TRUE(absl::IsInvalidArgument(Await("host=db pasword=x", PatienceThat(Never))));
  EXPECT_EQ(GetErrorInfo(Await(server + " sslmode=perhaps", PatienceThat(Never))).reason,
            "DATABASE_URL");
}

}  // namespace
}  // namespace skerry::postgres
