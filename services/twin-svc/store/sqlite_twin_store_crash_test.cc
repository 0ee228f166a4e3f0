// The twin store on a disk whose power is cut at any write (A5): what was answered is there, and
// nothing is there by half: neither of a twin, nor a twin without its reading.
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
#include "services/lib/testing/fake_clock.h"
#include "services/twin-svc/store/reading_log.h"
#include "services/twin-svc/store/sqlite_twin_store.h"

namespace skerry::twin {
namespace {

using sqlite::testing::SimDisk;

constexpr uint64_t kSeeds = 150;
constexpr int kCuts = 3;  // Of each seed.

struct State {
  std::map<DeviceName, Twin> twins;
  std::vector<std::string> readings;  // "sequence device value".
  uint64_t sent = 0;
  std::map<DeviceName, uint64_t> reported;

  bool operator==(const State&) const = default;
};

class Box {
 public:
  explicit Box(uint64_t seed) : random_(seed), disk_(seed) {}

  absl::StatusOr<std::unique_ptr<SqliteTwinStore>> Open() {
    return SqliteTwinStore::Open("twins.db", {}, clock_, {&disk_});
  }

  // False once the power is off. `next_` is what the last save would have made of `stored_`.
  bool Step(SqliteTwinStore& store) {
    next_ = stored_;
    if (Random(5) == 0) return SaveProgress(store);
    std::vector<TwinUpdate> updates;
    std::map<DeviceName, std::vector<std::string>> readings;
    std::map<DeviceName, std::vector<std::string>> changed;
    std::set<DeviceName> deleted;  // And perhaps made again.
    for (size_t i = 1 + Random(3); i > 0; --i) {
      const DeviceName device = *DeviceName::Make("plant", absl::StrCat("d-", Random(4)));
      if (Random(8) == 0) {
        next_.twins.erase(device);
        next_.reported.erase(device);
        changed[device].clear();
        deleted.insert(device);
        continue;
      }
      const std::string name = absl::StrCat("p-", Random(5));
      Twin& twin = next_.twins[device];
      ++twin.version;
      twin.state.state = absl::StrCat("s", Random(3));
      if (Random(6) == 0) {
        twin.properties.erase(name);
      } else {
        twin.properties[name].reported = Value{
            .value = absl::StrCat(++last_value_, std::string(Random(3000), 'v')), .writer = "m"};
      }
      changed[device].push_back(name);
      readings[device].push_back(absl::StrCat("v", last_value_, std::string(Random(500), 'r')));
    }
    for (const auto& [device, names] : changed) {
      if (deleted.count(device) > 0) updates.push_back({device, nullptr, {}});
      const auto it = next_.twins.find(device);
      const Twin* const twin = it == next_.twins.end() ? nullptr : &it->second;
      updates.push_back({device, twin, names, readings[device]});
      for (const std::string& value : readings[device]) {
        next_.readings.push_back(
            absl::StrCat(next_.readings.size() + 1, " ", device.value(), " ", value));
      }
    }
    if (!store.Save(updates).ok()) return false;
    stored_ = next_;
    return true;
  }

  bool SaveProgress(SqliteTwinStore& store) {
    Progress progress;
    progress.readings_sent = next_.sent =
        next_.sent + Random(next_.readings.size() - next_.sent + 1);
    for (const auto& [device, twin] : next_.twins) {
      if (Random(2) == 0) next_.reported[device] = progress.reported[device] = twin.version;
    }
    if (!store.SaveProgress(progress).ok()) return false;
    stored_ = next_;
    return true;
  }

  absl::StatusOr<State> Read() {
    auto store = Open();
    if (!store.ok()) return store.status();
    if ((*store)->repair().has_value()) return absl::DataLossError("repaired");
    absl::StatusOr<StoredTwins> loaded = (*store)->Load();
    if (!loaded.ok()) return loaded.status();
    State state{loaded->twins, {}, (*store)->readings().sent, loaded->reported};
    const uint64_t last = (*store)->readings().last;
    store->reset();
    auto log = ReadingLog::Open("twins.db", {&disk_});
    if (!log.ok()) return log.status();
    auto rows = (*log)->Read(0, 100'000, 100 << 20);
    if (!rows.ok()) return rows.status();
    for (const ReadingRow& row : *rows) {
      state.readings.push_back(absl::StrCat(row.sequence, " ", row.device, " ", row.value));
    }
    EXPECT_EQ(last, state.readings.size());
    return state;
  }

  void LivesThroughACut() {
    disk_.CutPowerIn(static_cast<int64_t>(Random(120)));
    auto store = Open();
    for (int i = 0; store.ok() && i < 40 && Step(**store);) ++i;
    if (store.ok()) store->reset();
    disk_.Restart();
    absl::StatusOr<State> after = Read();
    ASSERT_TRUE(after.ok()) << after.status();
    ASSERT_TRUE(*after == stored_ || *after == next_);
    stored_ = next_ = *std::move(after);
  }

 private:
  size_t Random(size_t below) { return random_() % below; }

  std::mt19937_64 random_;
  SimDisk disk_;
  testing::FakeClock clock_;
  State stored_, next_;
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
