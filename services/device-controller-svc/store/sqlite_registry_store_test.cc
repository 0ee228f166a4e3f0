#include "services/device-controller-svc/store/sqlite_registry_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "services/device-controller-svc/store/registry_store_contract.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {
namespace {

class SqliteHome final : public RegistryStoreHome {
 public:
  std::unique_ptr<RegistryStore> Open() override {
    return *SqliteRegistryStore::Open(folder_.File("registry.db"), 0, clock_);
  }

 private:
  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, RegistryStoreContract, ::testing::Values([] {
                           return std::unique_ptr<RegistryStoreHome>(new SqliteHome);
                         }));

TEST(SqliteRegistryStoreTest, LeavesADamagedFileWhereItIs) {
  skerry::testing::TempDir folder;
  std::ofstream(folder.File("registry.db")) << std::string(5000, 'x');
  skerry::testing::FakeClock clock;
  EXPECT_THAT(SqliteRegistryStore::Open(folder.File("registry.db"), 0, clock),
              testing::StatusIs(absl::StatusCode::kDataLoss));
}

TEST(SqliteRegistryStoreTest, AFullFileIsAnError) {
  skerry::testing::TempDir folder;
  skerry::testing::FakeClock clock;
  auto store = *SqliteRegistryStore::Open(folder.File("registry.db"), 64 << 10, clock);
  absl::Status status;
  for (int i = 0; status.ok() && i < 10000; ++i) {
    status = store
                 ->Put({.device = *DeviceName::Make("shop", "pump-" + std::to_string(i)),
                        .uid = std::string(253, 'u')})
                 .status();
  }
  EXPECT_THAT(status, testing::HasReason("DATABASE_FULL"));
}

}  // namespace
}  // namespace skerry::devicecontroller
