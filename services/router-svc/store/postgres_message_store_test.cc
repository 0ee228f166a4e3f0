#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/lib/postgres/pool.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/testing/status_matchers.h"
#include "services/router-svc/store/message_store_contract.h"
#include "services/router-svc/store/postgres_message_tables.h"
#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {
namespace {

using skerry::testing::IsOk;
using skerry::testing::LocalPostgres;

LocalPostgres& Server() {
  static std::unique_ptr<LocalPostgres> server = *LocalPostgres::Start();
  return *server;
}

std::shared_ptr<postgres::Pool> NewPool() {
  auto pool = std::make_shared<postgres::Pool>(
      postgres::PoolOptions{.connection = *Server().CreateDatabase()});
  EXPECT_THAT(PostgresMessageTables::Migrate(*pool), IsOk());
  return pool;
}

INSTANTIATE_TEST_SUITE_P(Postgres, MessageStoreContract, ::testing::Values(MakeStore([] {
                           return OpenStore(
                               [pool = NewPool()](const TableMessageStore::Bounds& bounds) {
                                 return *TableMessageStore::Open(
                                     std::make_unique<PostgresMessageTables>(*pool), bounds);
                               });
                         })));

// What was answered is there after a crash of the server, and nothing twice.
TEST(PostgresMessageStoreTest, SurvivesACrashOfTheServer) {
  const auto pool = NewPool();
  auto store = *TableMessageStore::Open(std::make_unique<PostgresMessageTables>(*pool), {});
  const EventSource source{.node = "edge-1", .stream = "s", .store_id = "1"};
  const NewMessage message{.rule = "ns/a", .key = "k", .payload = "p"};
  ASSERT_THAT(store->Accept(source, {{.sequence = 1, .messages = {message}}}, absl::UnixEpoch()),
              IsOk());
  ASSERT_THAT(Server().CrashAndRestart(), IsOk());
  absl::StatusOr<Accepted> again = absl::UnavailableError("");
  for (int attempt = 0; attempt < 3 && !again.ok(); ++attempt)
    again = store->Accept(source, {{.sequence = 1, .messages = {message}}}, absl::UnixEpoch());
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->repeated, 1);
  EXPECT_EQ(store->Waiting("ns/a", 10)->size(), 1u);
}

}  // namespace
}  // namespace skerry::router
