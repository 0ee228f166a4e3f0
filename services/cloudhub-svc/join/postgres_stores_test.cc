#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <pqxx/pqxx>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/join/node_watch.h"
#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/cloudhub-svc/join/postgres_node_records.h"
#include "services/cloudhub-svc/join/postgres_token_store.h"
#include "services/cloudhub-svc/join/stores_contract.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

// One server for all tests of the process, a database for each.
testing::LocalPostgres* server = nullptr;

class ServerEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override {
    auto started = testing::LocalPostgres::Start();
    ASSERT_THAT(started, IsOk());
    server = started->release();
  }
  void TearDown() override { delete server; }
};

const ::testing::Environment* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new ServerEnvironment);

std::unique_ptr<postgres::Pool> MakePool(const std::string& connection) {
  auto pool = std::make_unique<postgres::Pool>(postgres::PoolOptions{.connection = connection});
  EXPECT_THAT(MigrateHubTables(*pool), IsOk());
  return pool;
}

std::string NewDatabase() {
  const auto connection = server->CreateDatabase();
  EXPECT_THAT(connection, IsOk());
  return connection.value_or("");
}

absl::Status Claim(postgres::Pool& pool, bool is_new, const std::string& hash) {
  return ClaimCa(
      pool, [&] { return is_new; }, [&]() -> absl::StatusOr<std::string> { return hash; });
}

class PostgresStores final : public StoresHarness {
 public:
  PostgresStores() : pool_(MakePool(NewDatabase())) {
    EXPECT_THAT(Claim(*pool_, true, "ca"), IsOk());
  }
  Stores Open(Clock& clock) override {
    return {std::make_unique<PostgresTokenStore>(*pool_),
            std::make_unique<PostgresNodeRecords>(*pool_, clock)};
  }

 private:
  const std::unique_ptr<postgres::Pool> pool_;
};

std::unique_ptr<StoresHarness> MakeStores() {
  return server == nullptr ? nullptr : std::make_unique<PostgresStores>();
}

INSTANTIATE_TEST_SUITE_P(Postgres, TokenStoreContract, ::testing::Values(MakeStores));
INSTANTIATE_TEST_SUITE_P(Postgres, NodeRecordsContract, ::testing::Values(MakeStores));

class ReplicasTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(server, nullptr); }
  const LinkingBox box_ = {.node = *NodeName::Parse("n1"), .key_hash = "k1", .boot_id = "boot"};
};

// link-2.1: whatever the replicas' clocks say.
TEST_F(ReplicasTest, EpochsOfANodeGoUpOverAllReplicas) {
  const std::string database = NewDatabase();
  const auto pool = MakePool(database);
  const auto other_pool = MakePool(database);
  testing::FakeClock clock;
  testing::FakeClock slow_clock;
  slow_clock.SetNow(clock.Now() - absl::Hours(24));
  PostgresNodeRecords replica(*pool, clock);
  PostgresNodeRecords slow(*other_pool, slow_clock);
  uint64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    for (PostgresNodeRecords* admits : {&replica, &slow}) {
      const absl::StatusOr<uint64_t> epoch = admits->Admit(box_);
      ASSERT_THAT(epoch, IsOk());
      EXPECT_GT(*epoch, last);
      last = *epoch;
    }
  }
}

// cloudhub-1.8, over replicas.
TEST_F(ReplicasTest, ACopyIsKnownAtEveryReplica) {
  const std::string database = NewDatabase();
  const auto pool = MakePool(database);
  const auto other_pool = MakePool(database);
  testing::FakeClock clock;
  PostgresNodeRecords one(*pool, clock);
  PostgresNodeRecords other(*other_pool, clock);
  LinkingBox box = box_;
  LinkingBox copy = box_;
  copy.boot_id = "copy";
  const uint64_t common = *one.Admit(box);
  EXPECT_THAT(one.EpochStored(box, common), IsOkAndHolds(false));
  box.stored_epoch = copy.stored_epoch = common;
  const uint64_t of_copy = *other.Admit(copy);
  EXPECT_THAT(other.EpochStored(copy, of_copy), IsOkAndHolds(false));
  copy.stored_epoch = of_copy;
  EXPECT_THAT(one.EpochStored(box, *one.Admit(box)), IsOkAndHolds(true));
  EXPECT_THAT(other.Admit(copy), HasReason("NODE_CLONED"));
}

TEST_F(ReplicasTest, WhatOneReplicaIssuesTheOthersKnow) {
  const std::string database = NewDatabase();
  const auto pool = MakePool(database);
  const auto other_pool = MakePool(database);
  ASSERT_THAT(Claim(*pool, true, "ca"), IsOk());
  testing::FakeClock clock;
  PostgresTokenStore one(*pool);
  PostgresTokenStore other(*other_pool);
  ASSERT_THAT(one.Create({.id = "a",
                          .secret_hash = "hash",
                          .create_time = clock.Now(),
                          .expire_time = clock.Now() + absl::Hours(1),
                          .single_use = true}),
              IsOk());
  EXPECT_THAT(other.Redeem("a", "hash", {box_.node, "k1"}, clock.Now()), IsOk());
  EXPECT_THAT(one.Redeem("a", "hash", {box_.node, "k1"}, clock.Now()), HasReason("TOKEN_USED"));
  ASSERT_THAT(one.SetDisabled(box_.node, true), IsOk());
  EXPECT_THAT(PostgresNodeRecords(*other_pool, clock).Admit(box_), HasReason("NODE_DISABLED"));
}

// Of first starts at once one makes the CA; who has none of it then makes none.
TEST_F(ReplicasTest, OfManyFirstStartsOneMakesTheCa) {
  const std::string database = NewDatabase();
  std::atomic<int> made = 0;
  std::atomic<int> missing = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const absl::Status claimed = ClaimCa(
          *MakePool(database), [] { return true; },
          [&]() -> absl::StatusOr<std::string> {
            ++made;
            return absl::StrCat("ca-", i);
          });
      if (GetErrorInfo(claimed).reason == "CA_MISSING") ++missing;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made.load(), 1);
  EXPECT_EQ(missing.load(), 5);
  EXPECT_THAT(PostgresTokenStore(*MakePool(database)).NodesKnown(), IsOkAndHolds(true));
}

// A folder that all of them have: the others find what the first made.
TEST_F(ReplicasTest, OfManyFirstStartsInOneFolderAllHaveOneCa) {
  const std::string database = NewDatabase();
  std::atomic<bool> there = false;
  std::atomic<int> made = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      EXPECT_THAT(ClaimCa(
                      *MakePool(database), [&] { return !there.load(); },
                      [&]() -> absl::StatusOr<std::string> {
                        if (!there.exchange(true)) ++made;
                        return "ca";
                      }),
                  IsOk());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(made.load(), 1);
}

TEST_F(ReplicasTest, AReplicaWithAnotherCaDoesNotStart) {
  const auto pool = MakePool(NewDatabase());
  // A CA that was there before the database: nodes may have joined it.
  ASSERT_THAT(Claim(*pool, false, "ca"), IsOk());
  EXPECT_THAT(PostgresTokenStore(*pool).NodesKnown(), IsOkAndHolds(false));
  EXPECT_THAT(Claim(*pool, false, "ca"), IsOk());
  EXPECT_THAT(Claim(*pool, false, "other"), HasReason("CA_MISMATCH"));
}

// The states that a watch has told, until they are those that a test waits for.
class Told {
 public:
  void Add(const NodeState& state) {
    absl::MutexLock lock(&mutex_);
    states_[state.node.value()] = {state.session_epoch, state.disabled};
  }
  bool Await(const std::string& node, std::pair<uint64_t, bool> state) {
    absl::MutexLock lock(&mutex_);
    const auto told = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      const auto it = states_.find(node);
      return it != states_.end() && it->second == state;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&told), absl::Seconds(60));
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::pair<uint64_t, bool>> states_ ABSL_GUARDED_BY(mutex_);
};

// link-2.7
TEST_F(ReplicasTest, AReplicaHearsWhatTheOthersDo) {
  const std::string database = NewDatabase();
  const auto pool = MakePool(database);
  const auto other_pool = MakePool(database);
  testing::FakeClock clock;
  metrics::Registry registry("test-svc");
  PostgresNodeRecords records(*pool, clock);
  PostgresTokenStore tokens(*pool);
  const uint64_t before = *records.Admit(box_);
  Told told;
  NodeWatch watch(
      *other_pool, [&](const NodeState& state) { told.Add(state); }, registry, log::Logger::Null());
  EXPECT_TRUE(told.Await("n1", {before, false})) << "what was there when it began";
  const uint64_t epoch = *records.Admit(box_);
  EXPECT_TRUE(told.Await("n1", {epoch, false}));
  ASSERT_THAT(tokens.SetDisabled(box_.node, true), IsOk());
  EXPECT_TRUE(told.Await("n1", {epoch, true}));
  ASSERT_THAT(tokens.SetDisabled(box_.node, false), IsOk());
  EXPECT_TRUE(told.Await("n1", {epoch, false}));
}

// What is done while it can't listen, it reads when it can again; what no announcement told, at the
// next poll.
TEST_F(ReplicasTest, NothingIsMissedThoughAnnouncementsAreLost) {
  const std::string database = NewDatabase();
  const auto pool = MakePool(database);
  testing::FakeClock clock;
  metrics::Registry registry("test-svc");
  const uint64_t epoch = *PostgresNodeRecords(*pool, clock).Admit(box_);
  Told told;
  NodeWatch watch(
      *pool, [&](const NodeState& state) { told.Add(state); }, registry, log::Logger::Null());
  ASSERT_TRUE(told.Await("n1", {epoch, false}));
  const auto silently = [&](const char* change) {
    return pool->Transact("change", postgres::Pool::Mode::kWrite,
                          [&](pqxx::transaction_base& transaction) {
                            transaction.exec("ALTER TABLE hub_nodes DISABLE TRIGGER ALL");
                            transaction.exec(change);
                            transaction.exec("ALTER TABLE hub_nodes ENABLE TRIGGER ALL");
                            return absl::OkStatus();
                          });
  };
  ASSERT_THAT(silently("UPDATE hub_nodes SET session_epoch = 7, change_time = now()"), IsOk());
  EXPECT_TRUE(told.Await("n1", {7, false})) << "by a poll";
  ASSERT_THAT(silently("UPDATE hub_nodes SET session_epoch = 8, change_time = '2000-01-01'"),
              IsOk());
  ASSERT_THAT(server->CrashAndRestart(), IsOk());
  EXPECT_TRUE(told.Await("n1", {8, false})) << "all of it, on a new connection";
}

TEST_F(ReplicasTest, NothingIsAdmittedWhileTheDatabaseIsAway) {
  postgres::Pool pool({.connection = "host=/nowhere dbname=x"});
  testing::FakeClock clock;
  EXPECT_THAT(PostgresNodeRecords(pool, clock).Admit(box_),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace skerry::cloudhub
