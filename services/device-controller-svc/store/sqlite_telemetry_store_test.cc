#include "services/device-controller-svc/store/sqlite_telemetry_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "services/device-controller-svc/store/telemetry_store_contract.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {
namespace {

class SqliteHome final : public TelemetryStoreHome {
 public:
  std::unique_ptr<TelemetryStore> Open() override {
    return *SqliteTelemetryStore::Open(folder_.File("telemetry.db"), 0, clock_);
  }
  absl::Time Now() override { return clock_.Now(); }

 private:
  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, TelemetryStoreContract, ::testing::Values([] {
                           return std::unique_ptr<TelemetryStoreHome>(new SqliteHome);
                         }));

TEST(SqliteTelemetryStoreTest, SetsADamagedFileAside) {
  skerry::testing::TempDir folder;
  std::ofstream(folder.File("telemetry.db")) << std::string(5000, 'x');
  skerry::testing::FakeClock clock;
  auto store = *SqliteTelemetryStore::Open(folder.File("telemetry.db"), 0, clock);
  EXPECT_TRUE(store->repair().has_value());
  EXPECT_THAT(
      store->Append({.node = "n", .store_id = "s", .stream = "t", .first = 1, .last = 1}, {}),
      testing::IsOk());
}

}  // namespace
}  // namespace skerry::devicecontroller
