#include "services/device-controller-svc/store/postgres_twin_history_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <pqxx/pqxx>
#include <random>
#include <thread>

#include "services/device-controller-svc/store/postgres_test_server.h"
#include "services/device-controller-svc/store/twin_history_store_contract.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;

class PostgresHome final : public TwinHistoryStoreHome {
 public:
  PostgresHome() : pool_({.connection = NewDatabase()}) {
    EXPECT_THAT(PostgresTwinHistoryStore::Migrate(pool_), IsOk());
  }
  std::unique_ptr<TwinHistoryStore> Open() override {
    return std::make_unique<PostgresTwinHistoryStore>(pool_);
  }
  postgres::Pool& pool() { return pool_; }

 private:
  postgres::Pool pool_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, TwinHistoryStoreContract, ::testing::Values([] {
                           return std::unique_ptr<TwinHistoryStoreHome>(
                               TestServer() == nullptr ? nullptr : new PostgresHome);
                         }));

class SharedTwinsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(TestServer(), nullptr);
    home_ = std::make_unique<PostgresHome>();
    store_ = home_->Open();
  }
  static ReportedValue Value(uint64_t epoch, uint64_t sequence) {
    return {.property = "speed",
            .value = std::to_string(epoch) + "." + std::to_string(sequence),
            .order = {epoch, sequence}};
  }

  const TwinKey pump_{*DeviceName::Parse("shop/pump"), "u1", 10};
  std::unique_ptr<PostgresHome> home_;
  std::unique_ptr<TwinHistoryStore> store_;
};

// D1: two leaders for a while, and messages in any order.
TEST_F(SharedTwinsTest, ManyControllersNeverTurnAPropertyBack) {
  std::vector<std::thread> controllers;
  for (uint64_t epoch = 1; epoch <= 4; ++epoch) {
    controllers.emplace_back([&, epoch] {
      const std::unique_ptr<TwinHistoryStore> store = home_->Open();
      std::vector<uint64_t> sequences;
      for (uint64_t i = 1; i <= 25; ++i) sequences.push_back(i);
      std::shuffle(sequences.begin(), sequences.end(), std::mt19937(static_cast<unsigned>(epoch)));
      for (const uint64_t sequence : sequences)
        EXPECT_THAT(store->ApplyReported(pump_, {Value(epoch, sequence)}), IsOk());
    });
  }
  for (std::thread& controller : controllers) controller.join();
  const std::vector<TwinEntry> history =
      *store_->History(pump_.device, {.property = "speed", .count_max = 1000});
  ASSERT_FALSE(history.empty());
  for (size_t i = 1; i < history.size(); ++i) {
    EXPECT_TRUE(history[i - 1].order < history[i].order);
    EXPECT_LT(history[i - 1].arrive_time, history[i].arrive_time);
    EXPECT_EQ(history[i - 1].replace_time, history[i].arrive_time);
  }
  EXPECT_EQ(history.back().value, "4.25");
  EXPECT_EQ((*store_->Current(pump_.device))[0].value, "4.25");
}

// The later one looks only when the former has committed.
TEST_F(SharedTwinsTest, AWriterWaitsForWhatIsBeingWritten) {
  ASSERT_THAT(store_->ApplyReported(pump_, {Value(1, 1)}), IsOk());
  std::thread late;
  EXPECT_THAT(
      home_->pool().Transact("write elsewhere", postgres::Pool::Mode::kWrite,
                             [&](pqxx::transaction_base& transaction) {
                               transaction.exec(
                                   "SELECT pg_advisory_xact_lock(hashtextextended("
                                   "'skerry device twin shop/pump', 0))");
                               late = std::thread([&] {
                                 const auto applied = store_->ApplyReported(pump_, {Value(1, 2)});
                                 ASSERT_THAT(applied, IsOk());
                                 EXPECT_TRUE(applied->properties.empty());
                               });
                               AwaitLockWaiter(home_->pool());
                               transaction.exec("UPDATE device_twin_entries SET order_minor = 3");
                               return absl::OkStatus();
                             }),
      IsOk());
  late.join();
}

TEST_F(SharedTwinsTest, OneControllerDropsAtATime) {
  for (uint64_t i = 1; i <= 3; ++i)
    ASSERT_THAT(store_->ApplyReported(pump_, {Value(1, i)}), IsOk());
  EXPECT_THAT(home_->pool().Transact(
                  "drop elsewhere", postgres::Pool::Mode::kWrite,
                  [&](pqxx::transaction_base& transaction) {
                    transaction.exec(
                        "SELECT pg_advisory_xact_lock(hashtext("
                        "'skerry device twin retention'))");
                    EXPECT_THAT(store_->DropHistoryBefore(absl::InfiniteFuture()), IsOkAndHolds(0));
                    return absl::OkStatus();
                  }),
              IsOk());
  EXPECT_THAT(store_->DropHistoryBefore(absl::InfiniteFuture()), IsOkAndHolds(2));
}

// A clock of the database that was set back.
TEST_F(SharedTwinsTest, TimesOfArrivalNeverGoBack) {
  ASSERT_THAT(store_->ApplyReported(pump_, {Value(1, 1)}), IsOk());
  RunSql(home_->pool(), "UPDATE device_twins SET last_time = last_time + 3600000000");
  RunSql(home_->pool(), "UPDATE device_twin_entries SET arrive_time = arrive_time + 3600000000");
  const absl::Time ahead = (*store_->Current(pump_.device))[0].arrive_time;
  ASSERT_THAT(store_->ApplyReported(pump_, {Value(1, 2)}), IsOk());
  EXPECT_EQ((*store_->Current(pump_.device))[0].arrive_time, ahead + absl::Microseconds(1));
}

TEST_F(SharedTwinsTest, WhatWasAppliedSurvivesACrashOfTheServer) {
  ASSERT_THAT(store_->ApplyReported(pump_, {Value(1, 2)}), IsOk());
  ASSERT_THAT(TestServer()->CrashAndRestart(), IsOk());
  absl::StatusOr<AppliedValues> late = store_->ApplyReported(pump_, {Value(1, 1)});
  while (absl::IsUnavailable(late.status())) late = store_->ApplyReported(pump_, {Value(1, 1)});
  ASSERT_THAT(late, IsOk());
  EXPECT_TRUE(late->properties.empty());
  EXPECT_EQ((*store_->Current(pump_.device))[0].value, "1.2");
}

TEST_F(SharedTwinsTest, AStatementThatHangsEnds) {
  postgres::Pool hasty({.connection = home_->pool().options().connection,
                        .statement_timeout = absl::Milliseconds(50)});
  EXPECT_THAT(home_->pool().Transact("hold the table", postgres::Pool::Mode::kWrite,
                                     [&](pqxx::transaction_base& transaction) {
                                       transaction.exec("LOCK TABLE device_twin_entries");
                                       EXPECT_THAT(PostgresTwinHistoryStore(hasty).ApplyReported(
                                                       pump_, {Value(1, 1)}),
                                                   HasReason("STATEMENT_TIMEOUT"));
                                       return absl::OkStatus();
                                     }),
              IsOk());
}

}  // namespace
}  // namespace skerry::devicecontroller
