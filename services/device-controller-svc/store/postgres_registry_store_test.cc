#include "services/device-controller-svc/store/postgres_registry_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <pqxx/pqxx>
#include <set>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/store/postgres_test_server.h"
#include "services/device-controller-svc/store/registry_store_contract.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::devicecontroller {
namespace {

using testing::HasReason;
using testing::IsOk;

class PostgresHome final : public RegistryStoreHome {
 public:
  PostgresHome() : pool_({.connection = NewDatabase()}) {
    EXPECT_THAT(PostgresRegistryStore::Migrate(pool_), IsOk());
  }
  std::unique_ptr<RegistryStore> Open() override {
    return std::make_unique<PostgresRegistryStore>(pool_);
  }
  postgres::Pool& pool() { return pool_; }

 private:
  postgres::Pool pool_;
};

INSTANTIATE_TEST_SUITE_P(Postgres, RegistryStoreContract, ::testing::Values([] {
                           return std::unique_ptr<RegistryStoreHome>(
                               TestServer() == nullptr ? nullptr : new PostgresHome);
                         }));

class SharedRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(TestServer(), nullptr);
    home_ = std::make_unique<PostgresHome>();
    store_ = home_->Open();
  }
  RegisteredDevice Object(const std::string& node) const {
    return {.device = device_, .uid = "u1", .node = node};
  }

  const DeviceName device_ = *DeviceName::Parse("shop/pump");
  std::unique_ptr<PostgresHome> home_;
  std::unique_ptr<RegistryStore> store_;
};

// A lost update would leave two changes with one generation.
TEST_F(SharedRegistryTest, EachChangeOfManyControllersHasItsGeneration) {
  absl::Mutex mutex;
  std::set<int64_t> generations;
  std::atomic<int> changes = 0;
  std::vector<std::thread> controllers;
  for (int controller = 0; controller < 4; ++controller) {
    controllers.emplace_back([&, controller] {
      const std::unique_ptr<RegistryStore> store = home_->Open();
      for (int i = 0; i < 20; ++i) {
        const std::string node = "edge-" + std::to_string(controller) + "-" + std::to_string(i);
        const absl::StatusOr<DeviceRecord> put = store->Put(Object(node));
        ASSERT_THAT(put, IsOk());
        ++changes;
        absl::MutexLock lock(&mutex);
        generations.insert(put->generation);
      }
    });
  }
  for (std::thread& controller : controllers) controller.join();
  EXPECT_EQ(static_cast<int>(generations.size()), changes.load());
  EXPECT_EQ((*store_->Get(device_))->generation, *generations.rbegin()) << "the last one stands";
}

TEST_F(SharedRegistryTest, OfManyOperatorsOneWins) {
  const DeviceRecord put = *store_->Put(Object("edge-1"));
  std::atomic<int> won = 0;
  std::vector<std::thread> operators;
  for (int i = 0; i < 6; ++i) {
    operators.emplace_back([&, i] {
      const absl::StatusOr<DeviceRecord> off =
          home_->Open()->SetEnabled(device_, false, "reason " + std::to_string(i), put.etag());
      if (off.ok()) {
        ++won;
      } else {
        EXPECT_THAT(off, HasReason("ETAG_MISMATCH"));
      }
    });
  }
  for (std::thread& each : operators) each.join();
  EXPECT_EQ(won.load(), 1);
}

TEST_F(SharedRegistryTest, AGenerationSurvivesACrashOfTheServer) {
  const DeviceRecord put = *store_->Put(Object("edge-1"));
  ASSERT_THAT(store_->Delete(device_, ""), IsOk());
  ASSERT_THAT(TestServer()->CrashAndRestart(), IsOk());
  absl::StatusOr<DeviceRecord> back = store_->Put(Object("edge-1"));
  while (absl::IsUnavailable(back.status())) back = store_->Put(Object("edge-1"));
  ASSERT_THAT(back, IsOk());
  EXPECT_GT(back->generation, put.generation);
}

TEST_F(SharedRegistryTest, AStatementThatHangsEnds) {
  ASSERT_THAT(store_->Put(Object("edge-1")), IsOk());
  postgres::Pool hasty({.connection = home_->pool().options().connection,
                        .statement_timeout = absl::Milliseconds(50)});
  EXPECT_THAT(home_->pool().Transact("hold the table", postgres::Pool::Mode::kWrite,
                                     [&](pqxx::transaction_base& transaction) {
                                       transaction.exec("LOCK TABLE device_registry");
                                       EXPECT_THAT(
                                           PostgresRegistryStore(hasty).Put(Object("edge-2")),
                                           HasReason("STATEMENT_TIMEOUT"));
                                       return absl::OkStatus();
                                     }),
              IsOk());
}

TEST_F(SharedRegistryTest, ControllersMigrateAtOnce) {
  const std::string database = NewDatabase();
  std::vector<std::thread> controllers;
  for (int i = 0; i < 4; ++i) {
    controllers.emplace_back([&] {
      postgres::Pool pool({.connection = database});
      EXPECT_THAT(PostgresRegistryStore::Migrate(pool), IsOk());
    });
  }
  for (std::thread& controller : controllers) controller.join();
}

}  // namespace
}  // namespace skerry::devicecontroller
