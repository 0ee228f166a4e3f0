// The twin store on a disk whose power is cut at any write (A5): what was answered is there, and
// nothing is there by half.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/twin-svc/store/sqlite_twin_store.h"

namespace skerry::twin {
namespace {

using sqlite::testing::SimDisk;

constexpr uint64_t kSeeds = 150;
constexpr int kCuts = 3;  // Of each seed.

using Twins = std::map<DeviceName, Twin>;

class Box {
 public:
  explicit Box(uint64_t seed) : random_(seed), disk_(seed) {}

  absl::StatusOr<std::unique_ptr<SqliteTwinStore>> Open() {
    return SqliteTwinStore::Open("twins.db", 0, {&disk_});
  }

  // False once the power is off. `next_` is what the last save would have made of `stored_`.
  bool Step(SqliteTwinStore& store) {
    next_ = stored_;
    std::vector<TwinUpdate> updates;
    std::map<DeviceName, std::vector<std::string>> changed;
    std::set<DeviceName> deleted;  // And perhaps made again.
    for (size_t i = 1 + Random(3); i > 0; --i) {
      const DeviceName device = *DeviceName::Make("plant", absl::StrCat("d-", Random(4)));
      if (Random(8) == 0) {
        next_.erase(device);
        changed[device].clear();
        deleted.insert(device);
        continue;
      }
      const std::string name = absl::StrCat("p-", Random(5));
      Twin& twin = next_[device];
      ++twin.version;
      if (Random(6) == 0) {
        twin.properties.erase(name);
      } else {
        twin.properties[name].reported = Value{
            .value = absl::StrCat(++last_value_, std::string(Random(3000), 'v')), .writer = "m"};
      }
      changed[device].push_back(name);
    }
    for (const auto& [device, names] : changed) {
      if (deleted.count(device) > 0) updates.push_back({device, nullptr, {}});
      const auto it = next_.find(device);
      if (it != next_.end()) updates.push_back({device, &it->second, names});
    }
    if (!store.Save(updates).ok()) return false;
    stored_ = next_;
    return true;
  }

  void LivesThroughACut() {
    disk_.CutPowerIn(static_cast<int64_t>(Random(120)));
    auto store = Open();
    for (int i = 0; store.ok() && i < 40 && Step(**store);) ++i;
    if (store.ok()) store->reset();
    disk_.Restart();
    auto after = Open();
    ASSERT_TRUE(after.ok()) << after.status();
    ASSERT_FALSE((*after)->repair().has_value());
    auto loaded = (*after)->Load();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    ASSERT_TRUE(loaded->twins == stored_ || loaded->twins == next_);
    stored_ = next_ = loaded->twins;
  }

 private:
  size_t Random(size_t below) { return random_() % below; }

  std::mt19937_64 random_;
  SimDisk disk_;
  Twins stored_, next_;
  int last_value_ = 0;
};

TEST(SqliteTwinStoreCrashTest, WhatWasAnsweredSurvivesACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Box box(seed);
    for (int cut = 0; cut < kCuts && !::testing::Test::HasFatalFailure(); ++cut) {
      box.LivesThroughACut();
    }
  }
}

}  // namespace
}  // namespace skerry::twin
