#include "services/edged-svc/store/sqlite_checkpoint_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "services/lib/testing/temp_dir.h"

namespace skerry::edged {
namespace {

using ::testing::ElementsAre;

class SqliteCheckpointStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteCheckpointStore> Open() {
    auto store = SqliteCheckpointStore::Open(path_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  skerry::testing::TempDir temp_;
  const std::string path_ = std::string(temp_.path()) + "/edged.db";
};

TEST_F(SqliteCheckpointStoreTest, KeepsTheLatestOverAReopen) {
  const PodCheckpoint first{"u1", "ns", "p", "{}", {}};
  PodCheckpoint second = first;
  second.status_json = "{\"phase\":\"Running\"}";
  second.crashes["c"] = {absl::Seconds(20), absl::FromUnixMillis(1234567)};
  second.grace_seconds = 5;
  const PodCheckpoint other{"u2", "ns", "q", "{}", {}};
  {
    auto store = Open();
    EXPECT_THAT(*store->Load(), ElementsAre());
    ASSERT_TRUE(store->Put(first).ok());
    ASSERT_TRUE(store->Put(second).ok());
    ASSERT_TRUE(store->Put(other).ok());
  }
  auto store = Open();
  EXPECT_THAT(*store->Load(), ElementsAre(second, other));
  EXPECT_TRUE(store->Delete("u1").ok());
  EXPECT_TRUE(store->Delete("u1").ok());
  EXPECT_THAT(*store->Load(), ElementsAre(other));
}

TEST_F(SqliteCheckpointStoreTest, DamagedFileIsSetAside) {
  std::ofstream(path_) << std::string(8192, 'x');
  auto store = Open();
  EXPECT_TRUE(store->repair().has_value());
  EXPECT_THAT(*store->Load(), ElementsAre());
}

}  // namespace
}  // namespace skerry::edged
