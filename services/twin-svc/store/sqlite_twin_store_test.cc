#include "services/twin-svc/store/sqlite_twin_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/twin-svc/store/reading_log.h"
#include "services/twin-svc/store/twin_schema.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using sqlite::testing::SimDisk;
using ::testing::ElementsAre;

const DeviceName kPump = *DeviceName::Parse("plant/pump-1");
const DeviceName kValve = *DeviceName::Parse("plant/valve");

Property Reported(const std::string& value) {
  return {.declared = true,
          .cloud = Value{.value = "20", .writer = "cloud", .time = absl::FromUnixSeconds(1)},
          .reported = Value{.value = value,
                            .metadata = {{"type", "int"}},
                            .writer = "mapper",
                            .time = absl::FromUnixMicros(1'700'000'000'000'001)},
          .desired_version = 1,
          .reported_version = 2};
}

Twin Pump() {
  return {.uid = "u1",
          .generation = 3,
          .version = 7,
          .revision = 12,
          .properties = {{"level", Reported("1")}, {"speed", Reported("2")}},
          .write_ids = {1, ~0ull},
          .state = {.state = "offline",
                    .reason = "cable",
                    .change_time = absl::FromUnixSeconds(3),
                    .writer = "driver"}};
}

class SqliteTwinStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteTwinStore> Open(const TwinStoreBounds& bounds = {}) {
    auto store = SqliteTwinStore::Open("twins.db", bounds, clock_, {&disk_});
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  // As another process would see it.
  StoredTwins Reload() {
    store_.reset();
    store_ = Open();
    return *store_->Load();
  }

  absl::Status Report(const DeviceName& device, const std::string& value) {
    return store_->Save({{device, &pump_, {}, {value}}});
  }
  // Of all readings that are kept: "device value ...".
  std::string Readings() {
    store_.reset();
    std::string out;
    {
      auto log = *ReadingLog::Open("twins.db", {&disk_});
      const auto rows = *log->Read(0, 10'000, 100 << 20);
      for (const ReadingRow& row : rows) {
        absl::StrAppend(&out, row.device, " ", row.value.substr(0, 10), " ");
      }
    }
    store_ = Open(bounds_);
    return out;
  }

  testing::FakeClock clock_;
  SimDisk disk_{1};
  TwinStoreBounds bounds_;
  const Twin pump_ = Pump();
  std::unique_ptr<SqliteTwinStore> store_ = Open();
};

TEST_F(SqliteTwinStoreTest, ANewOneIsEmpty) {
  const StoredTwins stored = *store_->Load();
  EXPECT_TRUE(stored.twins.empty());
  EXPECT_EQ(stored.version_floor, 0u);
}

TEST_F(SqliteTwinStoreTest, ATwinComesBackAsItWas) {
  const Twin pump = Pump();
  const Twin valve{.uid = "u2", .generation = 1, .version = 1};
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}, {kValve, &valve, {}}}), IsOk());
  const StoredTwins stored = Reload();
  EXPECT_EQ(stored.twins.size(), 2u);
  EXPECT_EQ(stored.twins.at(kPump), pump);
  EXPECT_EQ(stored.twins.at(kValve), valve);
}

TEST_F(SqliteTwinStoreTest, WritesAndRemovesThePropertiesThatAreNamed) {
  Twin pump = Pump();
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}}), IsOk());
  pump.properties.erase("level");
  pump.properties["speed"] = Reported("3");
  ++pump.version;
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}}), IsOk());
  EXPECT_EQ(Reload().twins.at(kPump), pump);
}

TEST_F(SqliteTwinStoreTest, LeavesThoseThatAreNotNamedAsTheyWere) {
  Twin pump = Pump();
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}}), IsOk());
  pump.properties["level"] = Reported("9");
  pump.properties["speed"] = Reported("9");
  ASSERT_THAT(store_->Save({{kPump, &pump, {"speed"}}}), IsOk());
  const Twin stored = Reload().twins.at(kPump);
  EXPECT_EQ(stored.properties.at("level"), Reported("1"));
  EXPECT_EQ(stored.properties.at("speed"), Reported("9"));
}

TEST_F(SqliteTwinStoreTest, WhatIsDeletedIsGoneButForItsVersion) {
  const Twin pump = Pump();
  const Twin valve{.uid = "u2", .generation = 1, .version = 3};
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}, {kValve, &valve, {}}}), IsOk());
  ASSERT_THAT(store_->Save({{kPump, nullptr, {}}}), IsOk());
  ASSERT_THAT(store_->Save({{kValve, nullptr, {}}, {kPump, nullptr, {}}}), IsOk());
  const StoredTwins stored = Reload();
  EXPECT_TRUE(stored.twins.empty());
  EXPECT_EQ(stored.version_floor, 7u);
}

TEST_F(SqliteTwinStoreTest, AtTheBoundNothingIsStoredAndNothingIsLost) {
  store_.reset();
  store_ = Open({.size_bytes_max = 256 << 10});
  Twin pump = Pump();
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}}), IsOk());
  Twin large{.uid = "u2"};
  absl::Status refused;
  for (int i = 0; i < 100 && refused.ok(); ++i) {
    const std::string name = "p" + std::to_string(i);
    large.properties[name] = Reported(std::string(8000, 'x'));
    refused = store_->Save({{kValve, &large, {name}}});
  }
  EXPECT_THAT(refused, HasReason("DATABASE_FULL"));
  pump.properties["speed"] = Reported("3");
  EXPECT_THAT(store_->Save({{kPump, &pump, {"speed"}}}), IsOk()) << "no larger than what was there";
  const StoredTwins stored = Reload();
  EXPECT_EQ(stored.twins.at(kPump), pump);
  EXPECT_EQ(stored.twins.at(kValve).properties.size(), large.properties.size() - 1);
}

// What a damaged file has lost nobody knows: every Device is declared again, and no version that
// anybody has seen comes again.
TEST_F(SqliteTwinStoreTest, ADamagedFileIsRepairedFarAboveWhatItHad) {
  const Twin pump = Pump();
  ASSERT_THAT(store_->Save({{kPump, &pump, {"level", "speed"}}}), IsOk());
  store_.reset();
  std::string bytes = disk_.Bytes("twins.db");
  const size_t at = bytes.find("mapper");
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  disk_.SetBytes("twins.db", bytes);
  const StoredTwins stored = Reload();
  ASSERT_TRUE(store_->repair().has_value());
  const Twin& repaired = stored.twins.at(kPump);
  EXPECT_EQ(repaired.generation, 0);
  EXPECT_GT(repaired.version, pump.version + (1u << 31));
  EXPECT_GT(stored.version_floor, repaired.version);
  EXPECT_EQ(repaired.properties.size(), 1u) << "one row was damaged";
  EXPECT_EQ(repaired.write_ids, pump.write_ids);
}

TEST_F(SqliteTwinStoreTest, ReadingsGetTheNextSequences) {
  const std::string producer = store_->readings().producer;
  EXPECT_EQ(producer.size(), 32u);
  ASSERT_THAT(store_->Save({{kPump, &pump_, {}, {"a", "b"}}, {kValve, &pump_, {}, {"c"}}}), IsOk());
  EXPECT_EQ(store_->readings().last, 3u);
  EXPECT_EQ(store_->readings().unsent(), 3u);
  EXPECT_EQ(Readings(), "plant/pump-1 a plant/pump-1 b plant/valve c ");
  EXPECT_EQ(store_->readings().producer, producer);
  EXPECT_EQ(store_->readings().last, 3u);
  EXPECT_EQ(store_->readings().bytes, 3 + 12 + 12 + 11 + 3 * 64);
}

TEST_F(SqliteTwinStoreTest, ReadingsOutliveTheirDevice) {
  ASSERT_THAT(Report(kPump, "a"), IsOk());
  ASSERT_THAT(store_->Save({{kPump, nullptr, {}, {"b"}}}), IsOk());
  EXPECT_EQ(Readings(), "plant/pump-1 a plant/pump-1 b ");
}

TEST_F(SqliteTwinStoreTest, RemembersWhatWasSentAndReported) {
  ASSERT_THAT(store_->Save({{kPump, &pump_, {}, {"a", "b"}}}), IsOk());
  ASSERT_THAT(store_->SaveProgress({.reported = {{kPump, 12}, {kValve, 3}}, .readings_sent = 1}),
              IsOk());
  const StoredTwins stored = Reload();
  EXPECT_EQ(stored.reported.size(), 1u) << "a twin that is not there was not reported";
  EXPECT_EQ(stored.reported.at(kPump), 12u);
  EXPECT_EQ(store_->readings().sent, 1u);
  ASSERT_THAT(store_->SaveProgress({.readings_sent = 7}), IsOk());
  EXPECT_EQ(store_->readings().sent, 2u) << "there are no more";
  ASSERT_THAT(store_->SaveProgress({}), IsOk());
  EXPECT_EQ(store_->readings().sent, 2u);
  ASSERT_THAT(store_->Save({{kPump, nullptr, {}}}), IsOk());
  EXPECT_TRUE(Reload().reported.empty());
}

TEST_F(SqliteTwinStoreTest, AtTheirBoundTheOldestReadingsGoAndAreCounted) {
  bounds_.readings.bytes_max = 20'000;
  store_.reset();
  store_ = Open(bounds_);
  for (int i = 0; i < 40; ++i) {
    ASSERT_THAT(Report(kPump, absl::StrCat("r", i, std::string(1000, ' '))), IsOk());
    if (i == 9) {
      ASSERT_THAT(store_->SaveProgress({.readings_sent = 10}), IsOk());
    }
  }
  EXPECT_LE(store_->readings().bytes, 20'000);
  EXPECT_GT(store_->readings().bytes, 18'000);
  const uint64_t kept = 18;
  EXPECT_EQ(store_->readings().sent, 40 - kept);
  EXPECT_EQ(store_->readings().dropped_full, 40 - kept - 10) << "ten had been sent";
  const std::string readings = Readings();
  EXPECT_EQ(readings.find("r21"), std::string::npos);
  EXPECT_NE(readings.find("r22"), std::string::npos);
  EXPECT_EQ(store_->readings().last, 40u);
}

TEST_F(SqliteTwinStoreTest, ReadingsGoWhenTheyAreOldWhateverTheWallClockSays) {
  bounds_.readings.age_max = absl::Hours(10);
  store_.reset();
  store_ = Open(bounds_);
  ASSERT_THAT(Report(kPump, "old"), IsOk());
  clock_.SetNow(clock_.Now() + absl::Hours(24 * 365));
  EXPECT_FALSE(*store_->DropExpiredReadings());
  clock_.Advance(absl::Hours(6));
  ASSERT_THAT(Report(kPump, "new"), IsOk());
  EXPECT_EQ(Readings(), "plant/pump-1 old plant/pump-1 new ");  // Ages go on after a restart.
  clock_.Advance(absl::Hours(5));
  EXPECT_FALSE(*store_->DropExpiredReadings());
  EXPECT_EQ(store_->readings().dropped_expired, 1u);
  EXPECT_EQ(store_->readings().sent, 1u);
  EXPECT_EQ(Readings(), "plant/pump-1 new ");
}

TEST_F(SqliteTwinStoreTest, SequencesNeverComeAgain) {
  bounds_.readings.age_max = absl::Hours(1);
  store_.reset();
  store_ = Open(bounds_);
  ASSERT_THAT(Report(kPump, "a"), IsOk());
  clock_.Advance(absl::Hours(2));
  EXPECT_FALSE(*store_->DropExpiredReadings());
  EXPECT_EQ(Readings(), "");
  ASSERT_THAT(Report(kPump, "b"), IsOk());
  EXPECT_EQ(store_->readings().last, 2u);
}

// What is now counts more than what was.
TEST_F(SqliteTwinStoreTest, OnAFullDiskTheOldestReadingsMakeRoom) {
  for (int i = 0; i < 300; ++i) {
    ASSERT_THAT(Report(kPump, absl::StrCat("r", i, std::string(2000, ' '))), IsOk());
  }
  disk_.SetCapacity(disk_.UsedBytes());
  Twin pump = pump_;
  int last = 0;
  for (int i = 0; i < 3000 && store_->readings().dropped_disk_full == 0; ++i) {
    pump.properties["speed"] = Reported(absl::StrCat(i, std::string(500, ' ')));
    ++pump.version;
    ASSERT_THAT(store_->Save({{kPump, &pump, {"speed"}, {absl::StrCat("n", i)}}}), IsOk()) << i;
    last = i;
  }
  EXPECT_GT(store_->readings().dropped_disk_full, 0u);
  EXPECT_NE(Readings().find(absl::StrCat("n", last)), std::string::npos);
  EXPECT_EQ(store_->Load()->twins.at(kPump).properties.at("speed"), pump.properties.at("speed"));
}

TEST_F(SqliteTwinStoreTest, ADamagedFileHasAnotherProducerAndSendsNothingTwice) {
  for (int i = 0; i < 10; ++i) ASSERT_THAT(Report(kPump, absl::StrCat("r", i)), IsOk());
  ASSERT_THAT(store_->SaveProgress({.reported = {{kPump, 12}}, .readings_sent = 6}), IsOk());
  const ReadingState before = store_->readings();
  store_.reset();
  std::string bytes = disk_.Bytes("twins.db");
  const size_t at = bytes.find("offline");
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  disk_.SetBytes("twins.db", bytes);
  EXPECT_TRUE(Reload().reported.empty());
  ASSERT_TRUE(store_->repair().has_value());
  EXPECT_NE(store_->readings().producer, before.producer);
  EXPECT_EQ(store_->readings().producer.size(), 32u);
  EXPECT_EQ(store_->readings().sent, 6u);
  EXPECT_EQ(store_->readings().last, 10u);
  EXPECT_EQ(store_->readings().bytes, before.bytes);
  ASSERT_THAT(Report(kPump, "more"), IsOk());
  EXPECT_EQ(store_->readings().last, 11u);
}

// A file of the version before states and readings.
TEST_F(SqliteTwinStoreTest, AFileOfTheFirstVersionIsMigratedAndToldAnew) {
  store_.reset();
  {
    SimDisk disk(2);
    constexpr const char* kFirst[] = {kTwinMigrations[0]};
    auto old = *sqlite::Database::Open({.path = "twins.db", .environment = {&disk}}, kFirst);
    for (const char* device : {"plant/pump-1", "plant/valve"}) {
      ASSERT_THAT(old->Prepare("INSERT INTO twin VALUES (?1, 'u1', 3, 7, x'0a03616263',"
                               " row_checksum(?1, 'u1', 3, 7, x'0a03616263'))")
                      .Bind(1, device)
                      .Run(),
                  IsOk());
    }
    old.reset();
    auto store = *SqliteTwinStore::Open("twins.db", {}, clock_, {&disk});
    const StoredTwins stored = *store->Load();
    EXPECT_EQ(stored.twins.at(kPump).generation, 3);
    EXPECT_EQ(stored.twins.at(kPump).state, DeviceState{});
    EXPECT_THAT(stored.twins.at(kPump).write_ids, ElementsAre(0xba7816bf8f01cfeaull))
        << "of the name \"abc\" as 0.1.0 kept it";
    EXPECT_EQ(stored.twins.at(kPump).revision, 1u);
    EXPECT_EQ(stored.twins.at(kValve).revision, 2u);
    EXPECT_TRUE(stored.reported.empty());
    store.reset();
    store = *SqliteTwinStore::Open("twins.db", {}, clock_, {&disk});
    EXPECT_FALSE(store->repair().has_value());
  }
}

}  // namespace
}  // namespace skerry::twin
