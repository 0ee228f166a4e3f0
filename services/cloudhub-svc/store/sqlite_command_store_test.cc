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

TEST(SqliteCommandStoreTest, TellsThatItsFileIsFull) {
  skerry::testing::TempDir folder;
  skerry::testing::FakeClock clock;
  int failures = 0;
  sqlite::Environment environment;
  environment.on_failure = [&failures](const absl::Status&) { ++failures; };
  auto store =
      *SqliteCommandStore::Open(folder.File("commands.db"), {}, 256 << 10, clock, environment);
  StoredCommand command;
  command.node = "edge-1";
  command.key = "k";
  command.payload = std::string(1 << 20, 'x');
  command.expire_time = clock.Now() + absl::Hours(1);
  EXPECT_EQ(store->Insert(command).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_GT(failures, 0);
}

TEST(SqliteCommandStoreTest, TellsItsSize) {
  skerry::testing::TempDir folder;
  skerry::testing::FakeClock clock;
  int64_t size = 0;
  sqlite::Environment environment;
  environment.on_size = [&size](int64_t bytes) { size = bytes; };
  auto store = *SqliteCommandStore::Open(folder.File("commands.db"), {}, 0, clock, environment);
  const int64_t empty = size;
  EXPECT_GT(empty, 0) << "told at once";
  StoredCommand command;
  command.node = "edge-1";
  command.key = "k";
  command.payload = std::string(1 << 20, 'x');
  command.expire_time = clock.Now() + absl::Hours(1);
  ASSERT_TRUE(*store->Insert(command));
  EXPECT_GE(size, empty + (1 << 20));
  clock.Advance(absl::Hours(2));
  ASSERT_EQ(*store->Sweep(absl::ZeroDuration(), absl::Hours(24)), 1);
  clock.Advance(absl::Hours(48));
  ASSERT_TRUE(store->Sweep(absl::ZeroDuration(), absl::Hours(24)).ok());
  EXPECT_LT(size, empty + (1 << 19)) << "what is free in the file is left out";
}

}  // namespace
}  // namespace skerry::cloudhub
