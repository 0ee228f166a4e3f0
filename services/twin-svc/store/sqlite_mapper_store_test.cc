#include "services/twin-svc/store/sqlite_mapper_store.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/status_matchers.h"

namespace skerry::twin {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using sqlite::testing::SimDisk;
using Told = MapperSync::Told;

const MapperRecord kModbus{"modbus-mapper", "modbus", "/etc/kubeedge/modbus.sock", "v1.2"};
const MapperRecord kVirtual{"virtual-mapper", "virtual", "/run/skerry/virtual.sock", ""};

class SqliteMapperStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteMapperStore> Open(int64_t size_bytes_max = 0) {
    auto store = SqliteMapperStore::Open("mappers.db", size_bytes_max, {&disk_});
    EXPECT_THAT(store, IsOk());
    return *std::move(store);
  }
  // As another process would see it.
  std::vector<StoredMapper> Reload() {
    store_.reset();
    store_ = Open();
    return *store_->Load();
  }

  SimDisk disk_{1};
  std::unique_ptr<SqliteMapperStore> store_ = Open();
};

TEST_F(SqliteMapperStoreTest, MappersComeBackInOrderOfRegistration) {
  EXPECT_TRUE(Reload().empty());
  ASSERT_THAT(store_->SaveMapper(kModbus, {}), IsOk());
  ASSERT_THAT(store_->SaveMapper(kVirtual, {}), IsOk());
  EXPECT_EQ(Reload(), (std::vector<StoredMapper>{{kModbus, {}}, {kVirtual, {}}}));
  MapperRecord moved = kModbus;
  moved.path = "/run/modbus.sock";
  ASSERT_THAT(store_->SaveMapper(moved, {}), IsOk());
  EXPECT_EQ(Reload(), (std::vector<StoredMapper>{{kVirtual, {}}, {moved, {}}}));
  EXPECT_TRUE(store_->whole());
}

TEST_F(SqliteMapperStoreTest, WhatWasToldComesBack) {
  const std::string bytes("\0\xff", 2);
  ASSERT_THAT(store_->SaveMapper(kModbus, {{true, "ns/m", "1"}, {false, "ns/a", bytes}}), IsOk());
  ASSERT_THAT(store_->SaveMapper(kVirtual, {{false, "ns/v", "1"}}), IsOk());
  ASSERT_THAT(store_->SaveTold(kModbus.name, {{false, "ns/a", ""}, {false, "ns/b", "2"}}), IsOk());
  EXPECT_EQ(Reload().at(0).told,
            (std::vector<Told>{{true, "ns/m", "1"}, {false, "ns/a", ""}, {false, "ns/b", "2"}}));
  ASSERT_THAT(store_->SaveTold(kModbus.name, {{false, "ns/a", std::nullopt}}), IsOk());
  EXPECT_EQ(Reload().at(0).told, (std::vector<Told>{{true, "ns/m", "1"}, {false, "ns/b", "2"}}));
  ASSERT_THAT(store_->Delete(kModbus.name), IsOk());
  EXPECT_EQ(Reload(), (std::vector<StoredMapper>{{kVirtual, {{false, "ns/v", "1"}}}}));
}

TEST_F(SqliteMapperStoreTest, AtTheBoundNothingIsLost) {
  store_.reset();
  store_ = Open(128 << 10);
  ASSERT_THAT(store_->SaveMapper(kModbus, {{false, "ns/a", "1"}}), IsOk());
  absl::Status refused;
  std::vector<Told> told{{false, "ns/a", "1"}};
  for (int i = 1000; i < 9000 && refused.ok(); ++i) {
    const Told more{false, "ns/b" + std::to_string(i), std::string(200, 'x')};
    refused = store_->SaveTold(kModbus.name, {more});
    if (refused.ok()) told.push_back(more);
  }
  EXPECT_THAT(refused, HasReason("DATABASE_FULL"));
  EXPECT_EQ(Reload().at(0).told, told);
}

TEST_F(SqliteMapperStoreTest, OfADamagedFileWhatCanBeReadGoesOn) {
  ASSERT_THAT(store_->SaveMapper(kModbus, {{false, "ns/a", "1"}, {false, "ns/damaged", "1"}}),
              IsOk());
  store_.reset();
  std::string bytes = disk_.Bytes("mappers.db");
  size_t at = bytes.find("ns/damaged");
  ASSERT_NE(at, std::string::npos);
  // In the table and in its index.
  for (; at != std::string::npos; at = bytes.find("ns/damaged", at + 1)) bytes[at] ^= 1;
  disk_.SetBytes("mappers.db", bytes);
  const std::vector<StoredMapper> stored = Reload();
  EXPECT_FALSE(store_->whole());
  EXPECT_EQ(stored, (std::vector<StoredMapper>{{kModbus, {{false, "ns/a", "1"}}}}));
}

}  // namespace
}  // namespace skerry::twin
