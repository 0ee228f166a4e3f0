#include "services/cloudhub-svc/store/postgres_command_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
#include "services/cloudhub-svc/join/postgres_hub_tables.h"
#include "services/cloudhub-svc/store/command_store_contract.h"
#include "services/cloudhub-svc/store/command_watch.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using link::CommandProgress;
using link::CommandStage;
using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;

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

class PostgresHome final : public CommandStoreHome {
 public:
  PostgresHome() : pool_({.connection = server->CreateDatabase().value_or("")}) {
    EXPECT_THAT(MigrateHubTables(pool_), IsOk());
  }
  std::unique_ptr<CommandStore> Open(const CommandQueueBounds& bounds) override {
    return std::make_unique<PostgresCommandStore>(pool_, bounds, clock());
  }
  uint64_t Session(const std::string& node) override {
    ++epoch_;
    Run(absl::StrCat("INSERT INTO hub_nodes (node, key_hash, join_time, session_epoch) VALUES ('",
                     node, "', 'k', 0, ", epoch_,
                     ") ON CONFLICT (node) DO UPDATE SET session_epoch = ", epoch_));
    return epoch_;
  }
  void Pass(absl::Duration time) override {
    const int64_t micros = absl::ToInt64Microseconds(time);
    Run(absl::StrCat("UPDATE hub_commands SET create_time = create_time - ", micros,
                     ", expire_time = expire_time - ", micros, ", update_time = update_time - ",
                     micros));
  }
  void Run(const std::string& sql) {
    EXPECT_THAT(pool_.Transact("change", postgres::Pool::Mode::kWrite,
                               [&](pqxx::transaction_base& transaction) {
                                 transaction.exec(sql);
                                 return absl::OkStatus();
                               }),
                IsOk());
  }
  postgres::Pool& pool() { return pool_; }

 private:
  postgres::Pool pool_;
  uint64_t epoch_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Postgres, CommandStoreContract, ::testing::Values([] {
                           return std::unique_ptr<CommandStoreHome>(
                               server == nullptr ? nullptr : new PostgresHome);
                         }));

CommandProgress At(CommandStage stage) {
  CommandProgress progress;
  progress.stage = stage;
  progress.at_box = true;
  return progress;
}

class SharedCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(server, nullptr);
    home_ = std::make_unique<PostgresHome>();
    store_ = home_->Open({});
  }
  absl::StatusOr<bool> Insert(const std::string& key, CommandStore& store) {
    StoredCommand command;
    command.node = "edge-1";
    command.key = key;
    command.type = "method";
    command.deadline = absl::Seconds(30);
    command.create_time = home_->clock().Now();
    command.expire_time = command.create_time + absl::Hours(1);
    return store.Insert(command);
  }

  std::unique_ptr<PostgresHome> home_;
  std::unique_ptr<CommandStore> store_;
};

// link-2.7: a hub that has not heard yet that the node has left it.
TEST_F(SharedCommandsTest, ASessionThatIsOverWritesNothing) {
  const uint64_t former = home_->Session("edge-1");
  ASSERT_THAT(Insert("a", *store_), IsOkAndHolds(true));
  EXPECT_THAT(store_->Update("edge-1", "a", At(CommandStage::kSent), former), IsOkAndHolds(true));
  const uint64_t present = home_->Session("edge-1");
  EXPECT_THAT(store_->Update("edge-1", "a", At(CommandStage::kDone), former), IsOkAndHolds(false));
  EXPECT_EQ((*store_->Find("edge-1", "a"))->progress.stage, CommandStage::kSent);
  EXPECT_THAT(store_->Update("edge-1", "a", At(CommandStage::kDone), present), IsOkAndHolds(true));
}

// No session begins between the look at it and the write: what the next one reads is all there is.
TEST_F(SharedCommandsTest, ASessionWaitsForWhatIsBeingWritten) {
  const uint64_t epoch = home_->Session("edge-1");
  ASSERT_THAT(Insert("a", *store_), IsOkAndHolds(true));
  std::thread begins;
  EXPECT_THAT(
      home_->pool().Transact(
          "hold the command", postgres::Pool::Mode::kWrite,
          [&](pqxx::transaction_base& transaction) {
            transaction.exec("SELECT 1 FROM hub_commands FOR UPDATE");
            begins = std::thread([&] {
              EXPECT_THAT(store_->Update("edge-1", "a", At(CommandStage::kSent), epoch),
                          IsOkAndHolds(true));
            });
            // Until that one holds the session, and waits for the command.
            while (transaction
                       .exec("SELECT 1 FROM pg_stat_activity WHERE datname ="
                             " current_database() AND wait_event_type = 'Lock'")
                       .empty()) {
              transaction.exec("SELECT pg_stat_clear_snapshot()");
            }
            EXPECT_TRUE(transaction.exec("SELECT 1 FROM hub_nodes FOR UPDATE SKIP LOCKED").empty());
            return absl::OkStatus();
          }),
      IsOk());
  begins.join();
}

// link-10.3: whoever sees one sees those before it.
TEST_F(SharedCommandsTest, TheOrderOfManyHubsIsOne) {
  std::atomic<bool> done = false;
  std::thread reader([&] {
    std::vector<std::string> seen;
    while (!done) {
      const absl::StatusOr<std::vector<StoredCommand>> read = store_->Unended("edge-1");
      ASSERT_THAT(read, IsOk());
      std::vector<std::string> now;
      for (const StoredCommand& command : *read) now.push_back(command.key);
      ASSERT_GE(now.size(), seen.size());
      ASSERT_TRUE(std::equal(seen.begin(), seen.end(), now.begin()));
      seen = std::move(now);
    }
  });
  std::vector<std::thread> hubs;
  for (int hub = 0; hub < 4; ++hub) {
    hubs.emplace_back([&, hub] {
      const std::unique_ptr<CommandStore> store = home_->Open({});
      for (int i = 0; i < 16; ++i) {
        EXPECT_THAT(Insert(absl::StrCat(hub, "-", i), *store), IsOkAndHolds(true));
      }
    });
  }
  for (std::thread& hub : hubs) hub.join();
  done = true;
  reader.join();
  EXPECT_THAT(Insert("one more", *store_), HasReason("COMMAND_QUEUE_FULL"));
}

TEST_F(SharedCommandsTest, OfManyHubsOneQueuesAKey) {
  std::atomic<int> inserted = 0;
  std::vector<std::thread> hubs;
  for (int hub = 0; hub < 6; ++hub) {
    hubs.emplace_back([&] {
      const absl::StatusOr<bool> mine = Insert("a", *store_);
      EXPECT_THAT(mine, IsOk());
      if (mine.ok() && *mine) ++inserted;
    });
  }
  for (std::thread& hub : hubs) hub.join();
  EXPECT_EQ(inserted.load(), 1);
}

TEST_F(SharedCommandsTest, OneHubSweepsAtATime) {
  ASSERT_THAT(Insert("a", *store_), IsOkAndHolds(true));
  home_->Pass(absl::Hours(2));
  EXPECT_THAT(
      home_->pool().Transact(
          "sweep elsewhere", postgres::Pool::Mode::kWrite,
          [&](pqxx::transaction_base& transaction) {
            transaction.exec("SELECT pg_advisory_xact_lock(hashtext('skerry hub command sweep'))");
            EXPECT_THAT(store_->Sweep(absl::ZeroDuration(), absl::Hours(24)), IsOkAndHolds(0));
            return absl::OkStatus();
          }),
      IsOk());
  EXPECT_THAT(store_->Sweep(absl::ZeroDuration(), absl::Hours(24)), IsOkAndHolds(1));
}

// link-10.10: hubs whose clocks are wrong.
TEST_F(SharedCommandsTest, WhatIsLeftOfTheTimeIsTheSameByEveryClock) {
  ASSERT_THAT(Insert("a", *store_), IsOkAndHolds(true));
  testing::FakeClock fast;
  fast.SetNow(home_->clock().Now() + absl::Hours(24));
  PostgresCommandStore other(home_->pool(), {}, fast);
  const std::optional<StoredCommand> found = *other.Find("edge-1", "a");
  ASSERT_TRUE(found.has_value());
  const absl::Duration left = found->expire_time - fast.Now();
  EXPECT_LE(left, absl::Hours(1) + absl::Seconds(1));
  EXPECT_GE(left, absl::Minutes(59));
}

TEST_F(SharedCommandsTest, AKeyMayHaveAnyBytes) {
  const std::string key("a\0b", 3);
  ASSERT_THAT(Insert(key, *store_), IsOkAndHolds(true));
  EXPECT_THAT(Insert("a", *store_), IsOkAndHolds(true));
  EXPECT_EQ(store_->List("edge-1", "a", 10)->at(0).key, key);
}

// How often each was told; "" where announcements may have been lost.
class Told {
 public:
  CommandWatch::Events Events() {
    return {.changed = [this](const std::string& node) { Add(node); },
            .missed = [this] { Add(""); }};
  }
  // Since the last call.
  bool Await(const std::string& what) {
    absl::MutexLock lock(&mutex_);
    const auto told = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return told_[what] > 0; };
    const bool came = mutex_.AwaitWithTimeout(absl::Condition(&told), absl::Seconds(60));
    told_.clear();
    return came;
  }

 private:
  void Add(const std::string& what) {
    absl::MutexLock lock(&mutex_);
    ++told_[what];
  }

  absl::Mutex mutex_;
  std::map<std::string, int> told_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(SharedCommandsTest, EveryChangeIsToldToAllHubs) {
  const uint64_t epoch = home_->Session("edge-1");
  ASSERT_THAT(Insert("before", *store_), IsOkAndHolds(true));
  Told told;
  const CommandWatch watch(home_->pool(), told.Events(), log::Logger::Null());
  EXPECT_TRUE(told.Await("edge-1")) << "what was there when it began";
  for (const char* key : {"a", "b", "c"}) {
    ASSERT_THAT(Insert(key, *store_), IsOkAndHolds(true));
    EXPECT_TRUE(told.Await("edge-1"));
  }
  ASSERT_THAT(store_->Update("edge-1", "a", At(CommandStage::kSent), epoch), IsOkAndHolds(true));
  EXPECT_TRUE(told.Await("edge-1"));
  CommandProgress end;
  end.stage = CommandStage::kCancelled;
  ASSERT_THAT(store_->Cancel("edge-1", "b", end), IsOkAndHolds(true));
  EXPECT_TRUE(told.Await("edge-1"));
  home_->Run("UPDATE hub_commands SET expire_time = 0 WHERE key = 'c'");
  EXPECT_TRUE(told.Await("edge-1"));
  ASSERT_THAT(store_->Sweep(absl::ZeroDuration(), absl::Hours(24)), IsOkAndHolds(1));
  EXPECT_TRUE(told.Await("edge-1"));
  ASSERT_THAT(server->CrashAndRestart(), IsOk());
  EXPECT_TRUE(told.Await(""));
}

}  // namespace
}  // namespace skerry::cloudhub
