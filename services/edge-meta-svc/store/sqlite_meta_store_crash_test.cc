// The store on a disk whose power is cut at any write and whose bits flip. A1, A5, meta-2.1, 2.2.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "services/edge-meta-svc/store/sqlite_meta_store.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgemeta {
namespace {

using sqlite::testing::SimDisk;
using Pods = std::map<std::string, std::string>;  // Key to version.

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

class MetaStoreCrashTest : public ::testing::Test {
 protected:
  void Begin(uint64_t seed) {
    random_.seed(seed);
    disk_ = std::make_unique<SimDisk>(seed);
    stored_.clear();
    version_ = 0;
  }
  absl::StatusOr<std::unique_ptr<SqliteMetaStore>> TryOpen() {
    return SqliteMetaStore::Open({.path = "edge-meta.db",
                                  .key_path = folder_.File("key"),
                                  .environment = {.storage = disk_.get()}});
  }
  std::unique_ptr<SqliteMetaStore> Open() {
    auto store = TryOpen();
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  // A batch of two pods and a report, all of one version. False where it failed.
  bool Step(SqliteMetaStore& store) {
    next_ = stored_;
    Batch batch;
    ++version_;
    for (int i = 0; i < 2; ++i) {
      const std::string key = absl::StrCat("default/", random_() % 8);
      next_[key] = absl::StrCat(version_);
      batch.mutations.push_back({Mutation::Kind::kUpsert, "pods", key, absl::StrCat(version_),
                                 ObjectOf(key, absl::StrCat(version_))});
    }
    batch.synced = {"pods"};
    if (!store.Apply(batch, kNow).ok()) return false;
    stored_ = next_;
    return store.PutReport({.type = "pods", .key = "default/0", .value = "r"}, kNow).ok();
  }
  static std::string ObjectOf(const std::string& key, const std::string& version) {
    return absl::StrCat(key, "=", version, std::string(1500, 'x'));
  }
  static Pods Read(SqliteMetaStore& store) {
    Pods pods;
    auto page = store.List("pods", "", "", 1000, 1 << 30);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return pods;
    for (const watch::Change& change : *page) {
      EXPECT_EQ(change.object, ObjectOf(change.key, change.version));
      pods[change.key] = change.version;
    }
    return pods;
  }

  skerry::testing::TempDir folder_;
  std::mt19937_64 random_;
  std::unique_ptr<SimDisk> disk_;
  Pods stored_, next_;
  int version_ = 0;
};

TEST_F(MetaStoreCrashTest, BatchesSurviveACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Begin(seed);
    disk_->CutPowerIn(static_cast<int64_t>(random_() % 150));
    auto store = TryOpen();
    for (int i = 0; store.ok() && i < 40 && Step(**store);) ++i;
    if (store.ok()) store->reset();
    disk_->Restart();
    auto after = Open();
    ASSERT_NE(after, nullptr);
    ASSERT_FALSE(after->notes().repair.has_value());
    const Pods pods = Read(*after);
    ASSERT_TRUE(pods == stored_ || pods == next_);
    ASSERT_TRUE(Step(*after));
  }
}

// A1: whatever bits flip, the store opens; while it has no list of pods that is whole it says so,
// and with the last copy it has one: no pod is missing, though some may be older.
TEST_F(MetaStoreCrashTest, FlippedBitsTakeNoPodFromABoxThatHasACopy) {
  int repairs = 0;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Begin(seed);
    const bool copied = seed % 2 == 0;
    {
      auto store = Open();
      for (int i = 0; i < 30; ++i) ASSERT_TRUE(Step(*store));
      if (copied) {
        ASSERT_TRUE(store->WriteCopy().ok());
      }
      ASSERT_TRUE(Step(*store));
    }
    disk_->Rot("edge-meta.db");
    auto store = Open();
    ASSERT_NE(store, nullptr);
    const Pods pods = Read(*store);
    const bool complete = *store->Complete({"pods"});
    if (complete || copied) {
      ASSERT_EQ(pods.size(), stored_.size());
    }
    if (store->notes().repair.has_value()) ++repairs;
    if (copied) {
      ASSERT_TRUE(complete);
    }
    if (!store->notes().repair.has_value()) {
      ASSERT_EQ(pods, stored_);
    }
    ASSERT_TRUE(Step(*store)) << "it takes changes";
  }
  EXPECT_GT(repairs, 15);
}

}  // namespace
}  // namespace skerry::edgemeta
