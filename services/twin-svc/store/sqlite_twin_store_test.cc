#include "services/twin-svc/store/sqlite_twin_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using sqlite::testing::SimDisk;

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
          .properties = {{"level", Reported("1")}, {"speed", Reported("2")}},
          .write_ids = {"e1", std::string("\0\n", 2)}};
}

class SqliteTwinStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteTwinStore> Open(int64_t size_bytes_max = 0) {
    auto store = SqliteTwinStore::Open("twins.db", size_bytes_max, {&disk_});
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  // As another process would see it.
  StoredTwins Reload() {
    store_.reset();
    store_ = Open();
    return *store_->Load();
  }

  SimDisk disk_{1};
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
  store_ = Open(256 << 10);
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

}  // namespace
}  // namespace skerry::twin
