#include "services/device-controller-svc/store/sqlite_twin_history_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "services/device-controller-svc/store/twin_history_store_contract.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {
namespace {

using testing::IsOk;

class SqliteHome final : public TwinHistoryStoreHome {
 public:
  std::unique_ptr<TwinHistoryStore> Open() override {
    return *SqliteTwinHistoryStore::Open(folder_.File("twins.db"), 0, clock_);
  }

 private:
  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TwinHistoryStoreContract, ::testing::Values([] {
                           return std::unique_ptr<TwinHistoryStoreHome>(new SqliteHome);
                         }));

class SqliteTwinHistoryStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteTwinHistoryStore> Open() {
    return *SqliteTwinHistoryStore::Open(folder_.File("twins.db"), 0, clock_);
  }
  ReportedValue Value(uint64_t sequence) const {
    return {.property = "speed", .value = std::to_string(sequence), .order = {1, sequence}};
  }

  const TwinKey pump_{*DeviceName::Parse("shop/pump"), "u1", 10};
  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
};

TEST_F(SqliteTwinHistoryStoreTest, TimesOfArrivalFollowTheClockButNeverGoBack) {
  auto store = Open();
  const absl::Time start = clock_.Now();
  ASSERT_THAT(store->ApplyReported(pump_, {Value(1)}), IsOk());
  EXPECT_EQ((*store->Current(pump_.device))[0].arrive_time, start);
  clock_.SetNow(start - absl::Hours(24));
  store = Open();
  ASSERT_THAT(store->ApplyReported(pump_, {Value(2)}), IsOk());
  EXPECT_EQ((*store->Current(pump_.device))[0].arrive_time, start + absl::Microseconds(1));
  clock_.SetNow(start + absl::Hours(1));
  ASSERT_THAT(store->ApplyReported(pump_, {Value(3)}), IsOk());
  EXPECT_EQ((*store->Current(pump_.device))[0].arrive_time, start + absl::Hours(1));
}

TEST_F(SqliteTwinHistoryStoreTest, SetsADamagedFileAside) {
  std::ofstream(folder_.File("twins.db")) << std::string(5000, 'x');
  const auto store = Open();
  EXPECT_TRUE(store->repair().has_value());
  EXPECT_TRUE(store->Current(pump_.device)->empty());
  EXPECT_THAT(store->ApplyReported(pump_, {Value(1)}), IsOk());
}

}  // namespace
}  // namespace skerry::devicecontroller
