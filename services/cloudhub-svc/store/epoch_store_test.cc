#include "services/cloudhub-svc/store/epoch_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/time/time.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::cloudhub {
namespace {

class EpochStoreTest : public ::testing::Test {
 protected:
  EpochStoreTest() {
    char name[] = "/tmp/skerry-epoch-XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~EpochStoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<EpochStore> Open() {
    absl::StatusOr<std::unique_ptr<EpochStore>> store =
        EpochStore::Open(folder_ + "/epoch.db", clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  std::string folder_;
  testing::FakeClock clock_;
};

TEST_F(EpochStoreTest, CountsUpAcrossBlocks) {
  std::unique_ptr<EpochStore> store = Open();
  uint64_t last = 0;
  for (int i = 0; i < 2500; ++i) {
    absl::StatusOr<uint64_t> epoch = store->Next();
    ASSERT_TRUE(epoch.ok()) << epoch.status();
    ASSERT_GT(*epoch, last);
    last = *epoch;
  }
}

// link-2.1: the store is opened again after a crash, with the clock set back.
TEST_F(EpochStoreTest, NeverGoesBackAfterARestart) {
  const uint64_t before = *Open()->Next();
  clock_.SetNow(absl::FromUnixSeconds(1));
  EXPECT_GT(*Open()->Next(), before);
}

TEST_F(EpochStoreTest, ALostStoreStartsAtThePresentTime) {
  const uint64_t before = *Open()->Next();
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directory(folder_);
  clock_.Advance(absl::Seconds(1));
  EXPECT_GT(*Open()->Next(), before);
}

TEST_F(EpochStoreTest, SaysWhereItHasPutADamagedFile) {
  const uint64_t before = *Open()->Next();
  EXPECT_FALSE(Open()->set_aside().has_value());
  std::ofstream(folder_ + "/epoch.db") << std::string(5000, 'x');
  clock_.Advance(absl::Seconds(1));
  const std::unique_ptr<EpochStore> store = Open();
  ASSERT_TRUE(store->set_aside().has_value());
  EXPECT_TRUE(std::filesystem::exists(*store->set_aside()));
  EXPECT_GT(*store->Next(), before);
}

}  // namespace
}  // namespace skerry::cloudhub
