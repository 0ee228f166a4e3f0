#include "services/lib/postgres/pool.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/postgres/testing/local_postgres.h"

namespace skerry::postgres {
namespace {

class PoolTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto server = skerry::testing::LocalPostgres::Start();
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = server->release();
  }
  static void TearDownTestSuite() { delete server_; }
  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    auto database = server_->CreateDatabase();
    ASSERT_TRUE(database.ok()) << database.status();
    connection_ = *database;
  }

  static absl::Status Run(Pool& pool, const std::string& sql) {
    return pool.Transact("test", Pool::Mode::kWrite, [&](pqxx::transaction_base& transaction) {
      transaction.exec(sql);
      return absl::OkStatus();
    });
  }
  static int Count(Pool& pool) {
    int count = -1;
    EXPECT_TRUE(pool.Transact("count", Pool::Mode::kSnapshot,
                              [&](pqxx::transaction_base& transaction) {
                                count = transaction.exec1("SELECT COUNT(*) FROM t")[0].as<int>();
                                return absl::OkStatus();
                              })
                    .ok());
    return count;
  }

  static skerry::testing::LocalPostgres* server_;
  std::string connection_;
};

skerry::testing::LocalPostgres* PoolTest::server_ = nullptr;

TEST_F(PoolTest, CommitsOnOkOnly) {
  Pool pool({.connection = connection_});
  ASSERT_TRUE(Run(pool, "CREATE TABLE t (i int PRIMARY KEY)").ok());
  ASSERT_TRUE(Run(pool, "INSERT INTO t VALUES (1)").ok());
  EXPECT_TRUE(absl::IsNotFound(
      pool.Transact("test", Pool::Mode::kWrite, [&](pqxx::transaction_base& transaction) {
        transaction.exec("INSERT INTO t VALUES (2)");
        return absl::NotFoundError("no");
      })));
  EXPECT_TRUE(absl::IsAlreadyExists(Run(pool, "INSERT INTO t VALUES (1)")));
  EXPECT_EQ(Count(pool), 1);
}

TEST_F(PoolTest, TriesAbortedTransactionsAgain) {
  Pool pool({.connection = connection_});
  int attempts = 0;
  EXPECT_TRUE(pool.Transact("test", Pool::Mode::kWrite,
                            [&](pqxx::transaction_base&) -> absl::Status {
                              if (++attempts < 3) throw pqxx::serialization_failure("again");
                              return absl::OkStatus();
                            })
                  .ok());
  EXPECT_EQ(attempts, 3);
  attempts = 0;
  EXPECT_TRUE(absl::IsAborted(
      pool.Transact("test", Pool::Mode::kWrite, [&](pqxx::transaction_base&) -> absl::Status {
        ++attempts;
        throw pqxx::deadlock_detected("again");
      })));
  EXPECT_EQ(attempts, 3);
}

TEST_F(PoolTest, BoundsTheTimeOfStatements) {
  Pool pool({.connection = connection_, .statement_timeout = absl::Milliseconds(50)});
  const absl::Status status = Run(pool, "SELECT pg_sleep(30)");
  EXPECT_EQ(GetErrorInfo(status).reason, "STATEMENT_TIMEOUT") << status;
}

TEST_F(PoolTest, BoundsTheWaitForAConnection) {
  Pool pool(
      {.connection = connection_, .connections_max = 1, .wait_timeout = absl::Milliseconds(20)});
  EXPECT_TRUE(pool.Transact("outer", Pool::Mode::kWrite,
                            [&](pqxx::transaction_base&) {
                              EXPECT_EQ(GetErrorInfo(Run(pool, "SELECT 1")).reason, "POOL_BUSY");
                              return absl::OkStatus();
                            })
                  .ok());
  EXPECT_TRUE(Run(pool, "SELECT 1").ok());
}

TEST_F(PoolTest, CountsWhatItsUsersWaitForAndWhatBecomesOfThem) {
  metrics::Registry registry("test");
  const auto has = [&registry](absl::string_view series) {
    return absl::StrContains(registry.Render(), absl::StrCat("skerry_postgres_", series, "\n"));
  };
  Pool pool({.connection = connection_,
             .connections_max = 1,
             .wait_timeout = absl::Milliseconds(20),
             .registry = &registry});
  EXPECT_TRUE(has("connections_max 1"));
  EXPECT_TRUE(has("transactions_total{result=\"ok\"} 0"));
  EXPECT_TRUE(pool.Transact("outer", Pool::Mode::kWrite,
                            [&](pqxx::transaction_base&) {
                              EXPECT_TRUE(has("connections_in_use 1"));
                              EXPECT_FALSE(Run(pool, "SELECT 1").ok());
                              return absl::OkStatus();
                            })
                  .ok());
  EXPECT_TRUE(absl::IsAborted(pool.Transact(
      "test", Pool::Mode::kWrite,
      [&](pqxx::transaction_base&) -> absl::Status { throw pqxx::deadlock_detected("again"); })));
  EXPECT_FALSE(Run(pool, "SELECT nothing").ok());
  EXPECT_TRUE(has("connections_in_use 0"));
  EXPECT_TRUE(has("connections_idle 1"));
  EXPECT_TRUE(has("pool_busy_total 1"));
  EXPECT_TRUE(has("connects_total{result=\"ok\"} 1"));
  EXPECT_TRUE(has("transactions_total{result=\"ok\"} 1"));
  EXPECT_TRUE(has("transactions_total{result=\"aborted\"} 3"));
  EXPECT_TRUE(has("transactions_total{result=\"refused\"} 1"));
  EXPECT_TRUE(has("transaction_seconds_count 5"));
  EXPECT_TRUE(has("wait_seconds_count 6"));
}

TEST_F(PoolTest, CountsADatabaseThatIsAway) {
  metrics::Registry registry("test");
  Pool pool({.connection = "host=/nowhere dbname=x", .registry = &registry});
  EXPECT_FALSE(Run(pool, "SELECT 1").ok());
  EXPECT_TRUE(
      absl::StrContains(registry.Render(), "skerry_postgres_connects_total{result=\"failed\"} 1"));
  EXPECT_TRUE(absl::StrContains(registry.Render(), "skerry_postgres_connections_in_use 0"));
}

TEST_F(PoolTest, ReplacesConnectionsAfterTheServerCrashed) {
  Pool pool({.connection = connection_});
  ASSERT_TRUE(Run(pool, "CREATE TABLE t (i int)").ok());
  ASSERT_TRUE(server_->CrashAndRestart().ok());
  absl::Status status = Run(pool, "INSERT INTO t VALUES (1)");
  if (absl::IsUnavailable(status)) status = Run(pool, "INSERT INTO t VALUES (1)");
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(Count(pool), 1);
}

TEST_F(PoolTest, SaysThatTheServerIsAway) {
  Pool pool({.connection = "host=/nowhere dbname=x"});
  EXPECT_EQ(GetErrorInfo(Run(pool, "SELECT 1")).reason, "DATABASE_AWAY");
}

TEST_F(PoolTest, TakesUrlsAndQuotedValues) {
  const std::string folder = connection_.substr(5, connection_.find(' ') - 5);
  const std::string database = connection_.substr(connection_.rfind('=') + 1);
  Pool url({.connection = "postgresql://postgres@/" + database + "?host=" + folder +
                          "&application_name=it%27s%20a%5Ctest"});
  EXPECT_TRUE(
      url.Transact("test", Pool::Mode::kSnapshot,
                   [&](pqxx::transaction_base& transaction) {
                     EXPECT_EQ(transaction.exec1("SHOW application_name")[0].as<std::string>(),
                               "it's a\\test");
                     EXPECT_EQ(transaction.exec1("SHOW statement_timeout")[0].as<std::string>(),
                               "15s");
                     return absl::OkStatus();
                   })
          .ok());
  const absl::Status bad =
      Run(*std::make_unique<Pool>(PoolOptions{.connection = "host=x pasword=secret"}), "SELECT 1");
  EXPECT_TRUE(absl::IsInvalidArgument(bad)) << bad;
  EXPECT_EQ(bad.message().find("secret"), absl::string_view::npos);
}

TEST_F(PoolTest, MigratesOnceThoughManyDo) {
  constexpr const char* kMigrations[] = {"CREATE TABLE t (i int)", "INSERT INTO t VALUES (1)"};
  std::vector<std::thread> threads;
  std::vector<absl::Status> results(6);
  for (absl::Status& result : results) {
    threads.emplace_back([&] {
      Pool pool({.connection = connection_});
      result = pool.Migrate("test", kMigrations);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_TRUE(result.ok()) << result;
  Pool pool({.connection = connection_});
  EXPECT_EQ(Count(pool), 1);
  const absl::Status older = pool.Migrate("test", absl::MakeConstSpan(kMigrations, 1));
  EXPECT_EQ(GetErrorInfo(older).reason, "DATABASE_TOO_NEW");
  // Components do not disturb each other.
  EXPECT_TRUE(pool.Migrate("other", absl::MakeConstSpan(kMigrations + 1, 1)).ok());
}

}  // namespace
}  // namespace skerry::postgres
