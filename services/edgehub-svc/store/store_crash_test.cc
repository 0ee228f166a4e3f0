// The journal and the event store on a disk whose power is cut at any write, whose bits flip and
// that fills up: one piece, for both are put to the same. L1, A5, link-5.1, link-5.2, link-9.1,
// link-9.2, link-9.7.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/store/sqlite_event_store.h"
#include "services/edgehub-svc/store/sqlite_journal.h"
#include "services/lib/base/error.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"

namespace skerry::edgehub {
namespace {

using sqlite::testing::SimDisk;

constexpr uint64_t kSeeds = 200;
constexpr int kCuts = 3;  // Of each seed.
const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

class StoreCrashTest : public ::testing::Test {
 protected:
  void Begin(uint64_t seed) {
    seed_ = seed;
    random_.seed(seed);
    disk_ = std::make_unique<SimDisk>(seed);
  }
  int Random(int below) { return static_cast<int>(random_() % static_cast<uint64_t>(below)); }
  std::string NewId() { return absl::StrCat("id-", ++ids_); }

  uint64_t seed_ = 0;
  int ids_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<SimDisk> disk_;
  skerry::testing::FakeClock clock_{kNow};
};

// ---- reports ----

class JournalCrashTest : public StoreCrashTest {
 protected:
  struct Held {
    uint64_t sequence = 0;
    std::string value;
    bool operator==(const Held&) const = default;
  };
  using Model = std::map<std::string, Held>;

  absl::StatusOr<std::unique_ptr<SqliteJournal>> TryOpen() {
    return SqliteJournal::Open("edgehub.db", {}, NewId(), clock_, {disk_.get()});
  }
  std::unique_ptr<SqliteJournal> Open() {
    auto journal = TryOpen();
    EXPECT_TRUE(journal.ok()) << journal.status();
    return journal.ok() ? *std::move(journal) : nullptr;
  }

  // False once the power is off. `next_` is what the last change would have made of `stored_`.
  bool Step(SqliteJournal& journal) {
    next_ = stored_;
    if (Random(4) == 0) {
      const uint64_t up_to = last_ - std::min<uint64_t>(last_, static_cast<uint64_t>(Random(6)));
      std::erase_if(next_, [&](const auto& held) { return held.second.sequence <= up_to; });
      if (!journal.Trim("pods", up_to).ok()) return false;
    } else {
      std::vector<link::Report> reports(static_cast<size_t>(1 + Random(4)));
      uint64_t sequence = last_;
      for (link::Report& report : reports) {
        report.type = "pods";
        report.key = absl::StrCat("default/", Random(12));
        report.value = absl::StrCat(++number_, std::string(static_cast<size_t>(Random(5000)), 'v'));
        next_[report.key] = {++sequence, report.value};
      }
      auto outcomes = journal.Put(reports);
      if (!outcomes.ok()) return false;
      for (const absl::StatusOr<uint64_t>& outcome : *outcomes) EXPECT_EQ(*outcome, ++last_);
    }
    stored_ = next_;
    return true;
  }

  static Model Read(SqliteJournal& journal) {
    Model model;
    uint64_t last = 0;
    auto batch = journal.Read("pods", 0, 1000, 1 << 30);
    EXPECT_TRUE(batch.ok()) << batch.status();
    if (!batch.ok()) return model;
    for (const link::Report& report : batch->reports) {
      EXPECT_GT(report.sequence, std::exchange(last, report.sequence));
      EXPECT_TRUE(model.emplace(report.key, Held{report.sequence, report.value}).second);
    }
    return model;
  }

  void Reset() {
    stored_.clear();
    next_.clear();
    last_ = 0;
  }

  Model stored_, next_;
  uint64_t last_ = 0;  // Ever answered.
  int number_ = 0;
};

TEST_F(JournalCrashTest, WhatWasAnsweredSurvivesACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Begin(seed);
    Reset();
    std::string id;
    for (int cut = 0; cut < kCuts; ++cut) {
      disk_->CutPowerIn(Random(150));
      auto journal = TryOpen();
      if (journal.ok()) id = (*journal)->id();
      for (int i = 0; journal.ok() && i < 60 && Step(**journal);) ++i;
      if (journal.ok()) journal->reset();
      disk_->Restart();
      auto after = Open();
      ASSERT_NE(after, nullptr);
      ASSERT_FALSE(after->repair().has_value());
      if (!id.empty()) {
        ASSERT_EQ(after->id(), id);
      }
      id = after->id();
      const Model held = Read(*after);
      ASSERT_TRUE(held == stored_ || held == next_);
      stored_ = next_ = held;
      last_ = std::max(last_, after->stats().last_sequence);
      ASSERT_TRUE(Step(*after)) << "sequences go on above all that were answered";
    }
  }
}

// link-5.2: sequences of what is left are not those of the journal that was lost.
TEST_F(JournalCrashTest, FlippedBitsCostWhatTheyHitAndTheId) {
  int repairs = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Begin(seed);
    Reset();
    std::string id;
    {
      auto journal = Open();
      id = journal->id();
      for (int i = 0; i < 40; ++i) {
        ASSERT_TRUE(Step(*journal));
      }
    }
    disk_->Rot("edgehub.db");
    auto journal = Open();
    ASSERT_NE(journal, nullptr);
    const Model held = Read(*journal);
    if (journal->repair().has_value()) {
      ++repairs;
      EXPECT_NE(journal->id(), id);
      EXPECT_EQ(journal->stored_epoch(), 0u);
      for (const auto& [key, value] : held) {
        ASSERT_EQ(stored_[key], value);
      }
      ASSERT_EQ(journal->stats().entries, static_cast<int64_t>(held.size()));
    } else {
      EXPECT_EQ(journal->id(), id);
      ASSERT_EQ(held, stored_);
    }
    link::Report report;
    report.type = "pods";
    report.key = "default/new";
    auto outcomes = journal->Put({report});
    ASSERT_TRUE(outcomes.ok()) << outcomes.status();
    for (const auto& [key, value] : held) {
      ASSERT_GT(*(*outcomes)[0], value.sequence);
    }
  }
  EXPECT_GT(repairs, 20);
}

TEST_F(JournalCrashTest, AFullDiskRefusesWhatIsNewAndLetsTheCloudTakeTheRest) {
  Begin(1);
  auto journal = Open();
  disk_->SetCapacity(disk_->UsedBytes() + (1 << 20));
  link::Report report;
  report.type = "pods";
  report.value = std::string(3000, 'v');
  absl::Status status;
  int stored = -1;
  while (status.ok()) {
    report.key = absl::StrCat("default/", ++stored);
    status = journal->Put({report}).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_FULL");
  disk_->SetCapacity(disk_->UsedBytes());
  EXPECT_TRUE(journal->StoreEpoch(7).ok());
  report.key = "default/0";
  EXPECT_TRUE(journal->Put({report}).ok()) << "a newer value takes the place of the older";
  int sent = 0;
  for (uint64_t after = 0;;) {
    auto batch = journal->Read("pods", after, 64, 1 << 20);
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (batch->reports.empty()) break;
    sent += static_cast<int>(batch->reports.size());
    after = batch->reports.back().sequence;
    const absl::Status trimmed = journal->Trim("pods", after);
    ASSERT_TRUE(trimmed.ok()) << trimmed;
  }
  EXPECT_EQ(sent, stored);
  disk_->SetCapacity(1 << 30);
  report.value = std::string(1 << 20, 'w');
  EXPECT_TRUE(journal->Put({report}).ok());
}

// ---- events ----

constexpr int64_t kEventsMax = 30;
constexpr size_t kValueBytes = 400;

class EventCrashTest : public StoreCrashTest {
 protected:
  struct Held {
    uint64_t sequence = 0;
    uint64_t dropped_before = 0;
    std::string value;
    bool operator==(const Held&) const = default;
  };
  struct Model {
    std::vector<Held> held;
    uint64_t last = 0;
    uint64_t dropped = 0;  // With nothing left to tell it.
  };

  absl::StatusOr<std::unique_ptr<SqliteEventStore>> TryOpen() {
    const int64_t bytes = static_cast<int64_t>(
        link::EventBytes({0, 0, kNow, "device-1", std::string(kValueBytes, 'v')}));
    auto store = SqliteEventStore::Open("events.db", {.stream_bytes_max = kEventsMax * bytes},
                                        NewId(), clock_, {disk_.get()});
    if (!store.ok()) return store;
    const absl::Status declared = (*store)->Declare({"telemetry"});
    if (!declared.ok()) return declared;
    return store;
  }
  std::unique_ptr<SqliteEventStore> Open() {
    auto store = TryOpen();
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }

  static void Trim(Model& model, uint64_t up_to) {
    std::erase_if(model.held, [&](const Held& held) { return held.sequence <= up_to; });
  }
  static void Append(Model& model, const std::string& value) {
    model.held.push_back({++model.last, std::exchange(model.dropped, 0), value});
    if (model.held.size() <= static_cast<size_t>(kEventsMax)) return;
    model.held[1].dropped_before += 1 + model.held[0].dropped_before;
    model.held.erase(model.held.begin());
  }

  // False once the power is off. `put_` is what the last change put.
  bool Step(SqliteEventStore& store) {
    next_ = stored_;
    put_.clear();
    if (Random(4) == 0) {
      const uint64_t up_to =
          next_.last - std::min<uint64_t>(next_.last, static_cast<uint64_t>(Random(20)));
      Trim(next_, up_to);
      if (!store.Trim("telemetry", up_to).ok()) return false;
    } else {
      for (int i = 0, count = 1 + Random(6); i < count; ++i) {
        std::string value = absl::StrCat(++number_);
        value.resize(kValueBytes, 'v');
        put_.push_back({"telemetry", "twin-1", number_, kNow, "device-1", value});
        Append(next_, value);
      }
      auto appended = store.Append(put_);
      if (!appended.ok()) return false;
      EXPECT_EQ(*appended->outcomes.back(), next_.last) << "a sequence was given twice";
    }
    stored_ = next_;
    return true;
  }

  static std::vector<Held> Read(SqliteEventStore& store) {
    std::vector<Held> held;
    auto page = store.Read("telemetry", 0, 10000, 1 << 30);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return held;
    for (const link::StreamEvent& event : page->events)
      held.push_back({event.sequence, event.dropped_before, event.value});
    return held;
  }

  void Reset() {
    stored_ = next_ = {};
    put_.clear();
  }

  Model stored_, next_;
  std::vector<NewEvent> put_;
  uint64_t number_ = 0;
};

TEST_F(EventCrashTest, WhatWasAnsweredSurvivesACutAtAnyWriteOnceAndInOrder) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Begin(seed);
    Reset();
    std::string id;
    for (int cut = 0; cut < kCuts; ++cut) {
      disk_->CutPowerIn(Random(150));
      auto store = TryOpen();
      if (store.ok()) id = (*store)->id();
      for (int i = 0; store.ok() && i < 60 && Step(**store);) ++i;
      if (store.ok()) store->reset();
      disk_->Restart();
      auto after = Open();
      ASSERT_NE(after, nullptr);
      ASSERT_FALSE(after->repair().has_value());
      if (!id.empty()) {
        ASSERT_EQ(after->id(), id);
      }
      id = after->id();
      // Its producer, which had no answer, puts it again.
      if (!put_.empty()) {
        ASSERT_TRUE(Read(*after) == stored_.held || Read(*after) == next_.held);
        ASSERT_TRUE(after->Append(put_).ok());
        ASSERT_EQ(Read(*after), next_.held);
        stored_ = next_;
      } else {
        ASSERT_TRUE(Read(*after) == stored_.held || Read(*after) == next_.held);
        stored_.held = Read(*after);
      }
      ASSERT_TRUE(Step(*after));
      ASSERT_EQ(Read(*after), stored_.held);
      put_.clear();
      next_ = stored_;
    }
  }
}

TEST_F(EventCrashTest, FlippedBitsCostWhatTheyHitAndAreNamed) {
  int repairs = 0;
  size_t kept = 0;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Begin(seed);
    Reset();
    std::string id;
    {
      auto store = Open();
      id = store->id();
      for (int i = 0; i < 30; ++i) {
        ASSERT_TRUE(Step(*store));
      }
    }
    disk_->Rot("events.db");
    auto store = Open();
    ASSERT_NE(store, nullptr);
    const std::vector<Held> held = Read(*store);
    if (!store->repair().has_value()) {
      EXPECT_EQ(store->id(), id);
      ASSERT_EQ(held, stored_.held);
      continue;
    }
    ++repairs;
    kept += held.size();
    EXPECT_NE(store->id(), id);
    for (size_t i = 0; i < held.size(); ++i) {
      const uint64_t sequence = held[i].sequence;
      const auto there =
          std::find_if(stored_.held.begin(), stored_.held.end(),
                       [&](const Held& other) { return other.sequence == sequence; });
      ASSERT_NE(there, stored_.held.end());
      ASSERT_EQ(held[i].value, there->value);
      if (i > 0) {
        ASSERT_EQ(sequence - held[i].dropped_before - 1, held[i - 1].sequence);
      }
    }
    std::string value(kValueBytes, 'n');
    auto appended = store->Append({{"telemetry", "twin-2", 1, kNow, "device-1", value}});
    ASSERT_TRUE(appended.ok()) << appended.status();
    const std::vector<Held> after = Read(*store);
    ASSERT_EQ(after.back().value, value);
    if (!held.empty()) {
      ASSERT_EQ(after.back().sequence - after.back().dropped_before - 1, held.back().sequence);
    }
  }
  EXPECT_GT(repairs, 20);
  EXPECT_GT(kept, 2 * static_cast<size_t>(repairs)) << "a damage should not take all";
}

TEST_F(EventCrashTest, AFullDiskRefusesWhatIsNewAndLetsTheCloudTakeTheRest) {
  Begin(1);
  auto store = *SqliteEventStore::Open("events.db", {}, NewId(), clock_, {disk_.get()});
  ASSERT_TRUE(store->Declare({"telemetry"}).ok());
  disk_->SetCapacity(disk_->UsedBytes() + (1 << 20));
  absl::Status status;
  uint64_t stored = 0;
  while (status.ok()) {
    status = store->Append({{"telemetry", "twin-1", stored + 1, kNow, "k", std::string(3000, 'v')}})
                 .status();
    if (status.ok()) ++stored;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_FULL");
  disk_->SetCapacity(disk_->UsedBytes());
  uint64_t sent = 0;
  for (uint64_t after = 0;;) {
    auto page = store->Read("telemetry", after, 64, 1 << 20);
    ASSERT_TRUE(page.ok()) << page.status();
    if (page->events.empty()) break;
    sent += page->events.size();
    after = page->events.back().sequence;
    const absl::Status trimmed = store->Trim("telemetry", after);
    ASSERT_TRUE(trimmed.ok()) << trimmed;
  }
  EXPECT_EQ(sent, stored);
  disk_->SetCapacity(1 << 30);
  EXPECT_TRUE(
      store->Append({{"telemetry", "twin-1", stored + 1, kNow, "k", std::string(100000, 'v')}})
          .ok());
}

}  // namespace
}  // namespace skerry::edgehub
