#include "services/device-controller-svc/store/postgres_telemetry_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <pqxx/pqxx>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/device-controller-svc/store/postgres_test_server.h"
#include "services/device-controller-svc/store/telemetry_store_contract.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using testing::HasReason;
using testing::IsOk;
using testing::IsOkAndHolds;

class PostgresHome final : public TelemetryStoreHome {
 public:
  PostgresHome() : pool_({.connection = NewDatabase()}) {
    EXPECT_THAT(PostgresTelemetryStore::Migrate(pool_), IsOk());
  }
  std::unique_ptr<TelemetryStore> Open() override {
    return std::make_unique<PostgresTelemetryStore>(pool_);
  }
  absl::Time Now() override { return absl::Now(); }
  postgres::Pool& pool() { return pool_; }

 private:
  postgres::Pool pool_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, TelemetryStoreContract, ::testing::Values([] {
                           return std::unique_ptr<TelemetryStoreHome>(
                               TestServer() == nullptr ? nullptr : new PostgresHome);
                         }));

class SharedTelemetryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(TestServer(), nullptr);
    home_ = std::make_unique<PostgresHome>();
    store_ = home_->Open();
  }
  static TelemetryEvents Events(uint64_t first, uint64_t last, const std::string& node = "edge-1") {
    return {.node = node, .store_id = "s", .stream = "t", .first = first, .last = last};
  }
  TelemetryRow Row(uint64_t sequence, int days_ago, const std::string& model = "sensor") const {
    return {.sequence = sequence,
            .device = *DeviceName::Make("shop", model),
            .model = model,
            .property = "speed",
            .time = now_ - absl::Hours(24 * days_ago),
            .value = absl::StrCat(sequence)};
  }
  int64_t Partitions() {
    int64_t count = -1;
    EXPECT_THAT(home_->pool().Transact(
                    "count", postgres::Pool::Mode::kSnapshot,
                    [&](pqxx::transaction_base& transaction) {
                      count = transaction
                                  .exec1(
                                      "SELECT count(*) FROM pg_inherits WHERE inhparent ="
                                      " 'device_readings'::regclass")[0]
                                  .as<int64_t>();
                      return absl::OkStatus();
                    }),
                IsOk());
    return count;
  }
  size_t Readings(const std::string& model = "sensor") {
    return store_->Query(*DeviceName::Make("shop", model), {.property = "speed", .count_max = 1000})
        ->size();
  }

  const absl::Time now_ = absl::Now();
  std::unique_ptr<PostgresHome> home_;
  std::unique_ptr<TelemetryStore> store_;
};

TEST_F(SharedTelemetryTest, ADayIsAPartitionUntilNobodyKeepsIt) {
  EXPECT_EQ(Partitions(), 0);
  ASSERT_THAT(store_->Append(Events(1, 5),
                             {Row(1, 9), Row(2, 9), Row(3, 5), Row(4, 1), Row(5, 5, "valve")}),
              IsOk());
  EXPECT_EQ(Partitions(), 3);
  EXPECT_THAT(store_->DropBefore("sensor", now_ - absl::Hours(24 * 3)), IsOkAndHolds(3));
  EXPECT_EQ(Partitions(), 2) << "the other model keeps one";
  EXPECT_EQ(Readings(), 1u);
  EXPECT_THAT(store_->DropBefore("valve", now_ - absl::Hours(24 * 3)), IsOkAndHolds(1));
  EXPECT_EQ(Partitions(), 1);
  EXPECT_THAT(store_->DropBefore("valve", now_ - absl::Hours(24 * 3)), IsOkAndHolds(0));
}

TEST_F(SharedTelemetryTest, TimesThatAreFarOffMakeNoPartitions) {
  ASSERT_THAT(store_->Append(Events(1, 3), {Row(1, 401), Row(2, -3), Row(3, 10000)}), IsOk());
  EXPECT_EQ(Partitions(), 0);
  EXPECT_EQ(Readings(), 3u);
  ASSERT_THAT(store_->Append(Events(4, 5), {Row(4, 399), Row(5, -1)}), IsOk());
  EXPECT_EQ(Partitions(), 2);
  EXPECT_EQ(Readings(), 5u);
}

// L2: for a while two controllers think that a node is theirs.
TEST_F(SharedTelemetryTest, OfManyControllersOneAppendsAnEvent) {
  std::atomic<int64_t> appended = 0;
  std::vector<std::thread> controllers;
  for (int controller = 0; controller < 4; ++controller) {
    controllers.emplace_back([&] {
      const std::unique_ptr<TelemetryStore> store = home_->Open();
      for (uint64_t i = 1; i <= 30; ++i) {
        const auto result =
            store->Append(Events(i, i), {Row(i, static_cast<int>(i % 6)), Row(i, 0, "valve")});
        ASSERT_THAT(result, IsOk());
        appended += result->appended;
      }
    });
  }
  for (std::thread& controller : controllers) controller.join();
  EXPECT_EQ(appended.load(), 60);
  EXPECT_EQ(Readings(), 30u);
  EXPECT_EQ(Readings("valve"), 30u);
}

// Two nodes with the same devices' names, and retention meanwhile: nobody waits for ever, nothing
// is lost that is not old.
TEST_F(SharedTelemetryTest, AppendsAndRetentionGoTogether) {
  std::atomic<bool> done = false;
  std::thread retention([&] {
    while (!done) {
      EXPECT_THAT(store_->DropBefore("sensor", now_ - absl::Hours(24 * 2)), IsOk());
      EXPECT_THAT(store_->DropBefore("valve", now_ - absl::Hours(24 * 2)), IsOk());
    }
  });
  std::vector<std::thread> nodes;
  for (const char* node : {"edge-1", "edge-2"}) {
    nodes.emplace_back([&, node] {
      for (uint64_t i = 1; i <= 30; ++i) {
        EXPECT_THAT(store_->Append(Events(i, i, node),
                                   {Row(i, 0), Row(i, 0, "valve"), Row(i, 5), Row(i, 6, "valve")}),
                    IsOk());
      }
    });
  }
  for (std::thread& node : nodes) node.join();
  done = true;
  retention.join();
  EXPECT_THAT(store_->DropBefore("sensor", now_ - absl::Hours(24 * 2)), IsOk());
  EXPECT_THAT(store_->DropBefore("valve", now_ - absl::Hours(24 * 2)), IsOk());
  EXPECT_EQ(Readings(), 60u);
  EXPECT_EQ(Readings("valve"), 60u);
}

TEST_F(SharedTelemetryTest, AnAppendSurvivesACrashOfTheServer) {
  ASSERT_THAT(store_->Append(Events(1, 1), {Row(1, 0)}), IsOk());
  ASSERT_THAT(TestServer()->CrashAndRestart(), IsOk());
  absl::StatusOr<AppendedTelemetry> again = store_->Append(Events(1, 2), {Row(1, 0), Row(2, 0)});
  while (absl::IsUnavailable(again.status()))
    again = store_->Append(Events(1, 2), {Row(1, 0), Row(2, 0)});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(again->appended, 1);
  EXPECT_EQ(Readings(), 2u);
}

TEST_F(SharedTelemetryTest, AStatementThatHangsEnds) {
  postgres::Pool hasty({.connection = home_->pool().options().connection,
                        .statement_timeout = absl::Milliseconds(50)});
  EXPECT_THAT(home_->pool().Transact("hold the table", postgres::Pool::Mode::kWrite,
                                     [&](pqxx::transaction_base& transaction) {
                                       transaction.exec("LOCK TABLE device_series");
                                       EXPECT_THAT(PostgresTelemetryStore(hasty).Query(
                                                       *DeviceName::Make("shop", "sensor"),
                                                       {.property = "speed"}),
                                                   HasReason("STATEMENT_TIMEOUT"));
                                       return absl::OkStatus();
                                     }),
              IsOk());
}

}  // namespace
}  // namespace skerry::devicecontroller
