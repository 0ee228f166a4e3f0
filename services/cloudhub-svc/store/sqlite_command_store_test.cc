#include "services/cloudhub-svc/store/sqlite_command_store.h"

#include <gtest/gtest.h>

#include <fstream>

#include "services/cloudhub-svc/store/command_store_contract.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::cloudhub {
namespace {

class SqliteHome final : public CommandStoreHome {
 public:
  std::unique_ptr<CommandStore> Open(const CommandQueueBounds& bounds) override {
    return *SqliteCommandStore::Open(folder_.File("commands.db"), bounds, 0, clock());
  }
  uint64_t Session(const std::string&) override { return 0; }
  void Pass(absl::Duration time) override { clock().Advance(time); }

 private:
  skerry::testing::TempDir folder_;
};

INSTANTIATE_TEST_SUITE_P(Sqlite, CommandStoreContract, ::testing::Values([] {
                           return std::unique_ptr<CommandStoreHome>(new SqliteHome);
                         }));

TEST(SqliteCommandStoreTest, SetsADamagedFileAside) {
  skerry::testing::TempDir folder;
  std::ofstream(folder.File("commands.db")) << std::string(5000, 'x');
  skerry::testing::FakeClock clock;
  auto store = *SqliteCommandStore::Open(folder.File("commands.db"), {}, 0, clock);
  EXPECT_TRUE(store->set_aside().has_value());
  EXPECT_TRUE(store->Unended("edge-1")->empty());
}

}  // namespace
}  // namespace skerry::cloudhub
