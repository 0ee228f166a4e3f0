// The store on a disk whose power is cut at any write: what was answered is there, and nothing is
// there by half (eb-2.1).
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/eventbus-svc/store/sqlite_bus_store.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::eventbus {
namespace {

using sqlite::testing::SimDisk;

constexpr uint64_t kSeeds = 100;
constexpr int kCuts = 3;  // Of each seed.

struct Content {
  std::map<uint64_t, std::string> publications;
  std::map<uint64_t, std::string> uploads;
  uint64_t last_publication = 0;
  uint64_t last_upload = 0;

  bool operator==(const Content&) const = default;
};

class Box {
 public:
  explicit Box(uint64_t seed) : random_(seed), disk_(seed) {}

  void LivesThroughACut() {
    disk_.CutPowerIn(static_cast<int64_t>(Random(120)));
    {
      auto store = Open();
      for (int i = 0; store.ok() && i < 40 && Step(**store);) ++i;
    }
    disk_.Restart();
    auto after = Open();
    ASSERT_TRUE(after.ok()) << after.status();
    ASSERT_FALSE((*after)->repair().has_value());
    Content found;
    const auto publications = (*after)->ReadPublications(0, 1000, 64 << 20);
    for (const auto& [id, each] : *publications) {
      found.publications[id] = each.payload;
    }
    const auto uploads = (*after)->ReadUploads(0, 1000, 64 << 20);
    for (const auto& [sequence, each] : *uploads) {
      found.uploads[sequence] = each.payload;
    }
    if (found.publications == next_.publications && found.uploads == next_.uploads) {
      stored_ = next_;
    }
    ASSERT_TRUE(found.publications == stored_.publications && found.uploads == stored_.uploads);
    next_ = stored_;
    ASSERT_EQ((*after)->stats().publications.entries,
              static_cast<int64_t>(found.publications.size()));
  }

 private:
  absl::StatusOr<std::unique_ptr<SqliteBusStore>> Open() {
    return SqliteBusStore::Open("eventbus.db", {}, "id", clock_, {&disk_});
  }
  size_t Random(size_t below) { return random_() % below; }

  // False once the power is off. `next_` is what the change would have made of `stored_`.
  bool Step(SqliteBusStore& store) {
    next_ = stored_;
    BusChange change;
    if (!next_.publications.empty() && Random(2) == 0) {
      change.published = {next_.publications.begin()->first};
      next_.publications.erase(next_.publications.begin());
    }
    if (!next_.uploads.empty() && Random(3) == 0) {
      change.uploaded = next_.uploads.begin()->first;
      next_.uploads.erase(next_.uploads.begin());
    }
    for (size_t i = Random(3); i > 0; --i) {
      const std::string payload = absl::StrCat(++last_value_, std::string(Random(3000), 'v'));
      change.publish.push_back({absl::StrCat("t", Random(3)), payload});
      next_.publications[++next_.last_publication] = payload;
    }
    for (size_t i = Random(3); i > 0; --i) {
      const std::string payload = absl::StrCat(++last_value_, std::string(Random(3000), 'v'));
      change.receive.push_back({"u", payload, {}});
      next_.uploads[++next_.last_upload] = payload;
    }
    if (!store.Apply({&change}).ok()) return false;
    stored_ = next_;
    return true;
  }

  std::mt19937_64 random_;
  testing::FakeClock clock_;
  SimDisk disk_;
  Content stored_, next_;
  int last_value_ = 0;
};

TEST(SqliteBusStoreCrashTest, WhatWasAnsweredSurvivesACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= kSeeds && !::testing::Test::HasFatalFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Box box(seed);
    for (int cut = 0; cut < kCuts && !::testing::Test::HasFatalFailure(); ++cut) {
      box.LivesThroughACut();
    }
  }
}

}  // namespace
}  // namespace skerry::eventbus
