#include "services/device-controller-svc/store/postgres_test_server.h"

#include <gtest/gtest.h>

#include <pqxx/pqxx>

#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

testing::LocalPostgres* server = nullptr;

class ServerEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override {
    auto started = testing::LocalPostgres::Start();
    ASSERT_THAT(started, testing::IsOk());
    server = started->release();
  }
  void TearDown() override {
    delete server;
    server = nullptr;
  }
};

const ::testing::Environment* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new ServerEnvironment);

}  // namespace

testing::LocalPostgres* TestServer() { return server; }

std::string NewDatabase() { return server->CreateDatabase().value_or(""); }

void RunSql(postgres::Pool& pool, const std::string& sql) {
  EXPECT_THAT(pool.Transact("change", postgres::Pool::Mode::kWrite,
                            [&](pqxx::transaction_base& transaction) {
                              transaction.exec(sql);
                              return absl::OkStatus();
                            }),
              testing::IsOk());
}

void AwaitLockWaiter(postgres::Pool& pool) {
  bool waits = false;
  while (!waits) {
    ASSERT_THAT(pool.Transact("await", postgres::Pool::Mode::kWrite,
                              [&](pqxx::transaction_base& transaction) {
                                waits = !transaction
                                             .exec(
                                                 "SELECT 1 FROM pg_stat_activity WHERE datname ="
                                                 " current_database() AND"
                                                 " wait_event_type = 'Lock'")
                                             .empty();
                                return absl::OkStatus();
                              }),
                testing::IsOk());
  }
}

}  // namespace skerry::devicecontroller
