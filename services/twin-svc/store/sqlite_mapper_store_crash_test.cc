// The mapper store on a disk whose power is cut at any write (A5): it opens, and is as it was after
// some call that was answered, or begun.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/twin-svc/store/sqlite_mapper_store.h"

namespace skerry::twin {
namespace {

using sqlite::testing::SimDisk;
using Told = MapperSync::Told;

constexpr uint64_t kSeeds = 150;
constexpr int kCuts = 3;  // Of each seed.

struct Mapper {
  MapperRecord record;
  std::map<std::string, std::string> told;

  bool operator==(const Mapper&) const = default;
};
using Mappers = std::map<std::string, Mapper>;

Mappers ByName(const std::vector<StoredMapper>& stored) {
  Mappers mappers;
  for (const StoredMapper& each : stored) {
    Mapper& mapper = mappers[each.record.name];
    mapper.record = each.record;
    for (const Told& told : each.told) mapper.told[told.name] = *told.content;
  }
  return mappers;
}

class Box {
 public:
  explicit Box(uint64_t seed) : random_(seed), disk_(seed) {}

  absl::StatusOr<std::unique_ptr<SqliteMapperStore>> Open() {
    return SqliteMapperStore::Open("mappers.db", 0, {&disk_});
  }

  // False once the power is off. The last of `states_` is what the call makes of the one before.
  bool Step(SqliteMapperStore& store) {
    Mappers next = states_.back();
    const std::string name = absl::StrCat("m-", Random(3));
    const bool known = next.count(name) > 0;
    absl::Status status;
    if (known && Random(6) == 0) {
      next.erase(name);
      states_.push_back(next);
      status = store.Delete(name);
    } else {
      Mapper& mapper = next[name];
      std::vector<Told> changes;
      for (size_t i = Random(4); i > 0; --i) {
        const std::string device = absl::StrCat("d-", i);  // Each once.
        if (Random(3) == 0) {
          mapper.told.erase(device);
          changes.push_back({false, device, std::nullopt});
        } else {
          mapper.told[device] = absl::StrCat(++last_, std::string(Random(3000), 'c'));
          changes.push_back({false, device, mapper.told[device]});
        }
      }
      const bool registers = !known || Random(4) == 0;
      if (registers) mapper.record = {name, "p", absl::StrCat("/run/", ++last_), "v"};
      states_.push_back(next);
      status = registers ? store.SaveMapper(mapper.record, changes) : store.SaveTold(name, changes);
    }
    return status.ok();
  }

  void LivesThroughACut() {
    disk_.CutPowerIn(static_cast<int64_t>(Random(120)));
    auto store = Open();
    for (int i = 0; store.ok() && i < 40 && Step(**store);) ++i;
    if (store.ok()) store->reset();
    disk_.Restart();
    auto after = Open();
    ASSERT_TRUE(after.ok()) << after.status();
    ASSERT_TRUE((*after)->whole());
    auto loaded = (*after)->Load();
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    const Mappers mappers = ByName(*loaded);
    ASSERT_NE(std::find(states_.begin(), states_.end(), mappers), states_.end());
    states_ = {mappers};
  }

 private:
  size_t Random(size_t below) { return random_() % below; }

  std::mt19937_64 random_;
  SimDisk disk_;
  std::vector<Mappers> states_{{}};  // Since the last cut.
  int last_ = 0;
};

TEST(SqliteMapperStoreCrashTest, ACutAtAnyWriteLeavesAStateThatWas) {
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
