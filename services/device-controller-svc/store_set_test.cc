#include "services/device-controller-svc/store_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/testing/local_postgres.h"
#include "services/lib/process/readiness.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {
namespace {

using ::testing::ElementsAre;
using ::testing::Gt;
using testing::IsOk;
using ::testing::Pair;
using testing::StatusIs;

// Each of the stores takes something and says so to `reader`.
void ExpectShared(StoreSet& writer, StoreSet& reader) {
  const DeviceName device = *DeviceName::Make("ns", "d");
  const auto record = writer.registry().Put({.device = device, .uid = "u", .node = "edge-1"});
  ASSERT_THAT(record, IsOk());
  ASSERT_THAT(writer.twins().ApplyReported(
                  {device, "u", record->incarnation},
                  {{.property = "temp", .value = "20", .order = {.major = 1, .minor = 1}}}),
              IsOk());
  ASSERT_THAT(writer.telemetry().Append(
                  {.node = "edge-1", .store_id = "s", .stream = "readings", .first = 1, .last = 1},
                  {{.sequence = 1,
                    .device = device,
                    .model = "ns/m",
                    .property = "temp",
                    .time = absl::Now(),
                    .value = "20"}}),
              IsOk());
  EXPECT_TRUE(reader.registry().Get(device)->has_value());
  EXPECT_EQ(reader.twins().Current(device)->size(), 1u);
  EXPECT_EQ(reader.telemetry().Query(device, {.property = "temp"})->size(), 1u);
}

TEST(StoreSetTest, SqliteMakesItsFolderAndKeepsWhatItHas) {
  testing::TempDir dir;
  SystemClock clock;
  const StoreSet::Options options{.state_dir = dir.path() + "/state"};
  auto first = StoreSet::Open(options, clock, log::Logger::Null());
  ASSERT_THAT(first, IsOk());
  ExpectShared(**first, **first);
  first->reset();
  auto second = StoreSet::Open(options, clock, log::Logger::Null());
  ASSERT_THAT(second, IsOk());
  EXPECT_TRUE((*second)->registry().Get(*DeviceName::Make("ns", "d"))->has_value());
}

TEST(StoreSetTest, WhatWasDamagedIsSaid) {
  testing::TempDir dir;
  SystemClock clock;
  const StoreSet::Options options{.state_dir = dir.path()};
  auto first = StoreSet::Open(options, clock, log::Logger::Null());
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT((*first)->repaired(), ElementsAre());
  first->reset();
  std::ofstream(dir.File("twins.db")) << std::string(5000, 'x');
  auto second = StoreSet::Open(options, clock, log::Logger::Null());
  ASSERT_THAT(second, IsOk());
  EXPECT_THAT((*second)->repaired(), ElementsAre("twins"));
}

TEST(StoreSetTest, TheSizeOfEachFileIsTold) {
  testing::TempDir dir;
  SystemClock clock;
  std::map<std::string, int64_t> sizes;
  auto set =
      StoreSet::Open({.state_dir = dir.path(),
                      .on_size = [&sizes](absl::string_view store,
                                          int64_t bytes) { sizes[std::string(store)] = bytes; }},
                     clock, log::Logger::Null());
  ASSERT_THAT(set, IsOk());
  const std::map<std::string, int64_t> empty = sizes;
  EXPECT_THAT(empty,
              ElementsAre(Pair("registry", Gt(0)), Pair("telemetry", Gt(0)), Pair("twins", Gt(0))));
  const DeviceName device = *DeviceName::Make("ns", "d");
  for (int i = 0; i < 100; ++i)
    ASSERT_THAT((*set)->registry().Put({.device = *DeviceName::Make("ns", absl::StrCat("d", i)),
                                        .uid = std::string(100, 'u'),
                                        .node = "edge-1"}),
                IsOk());
  EXPECT_GT(sizes["registry"], empty.at("registry"));
  EXPECT_EQ(sizes["twins"], empty.at("twins"));
  ASSERT_THAT(
      (*set)->twins().ApplyReported({device, "u", 1}, {{.property = "temp",
                                                        .value = std::string(30000, 'v'),
                                                        .order = {.major = 1, .minor = 1}}}),
      IsOk());
  EXPECT_GE(sizes["twins"], empty.at("twins") + 20000);
  EXPECT_EQ(sizes["telemetry"], empty.at("telemetry"));
  ASSERT_THAT((*set)->telemetry().Append(
                  {.node = "edge-1", .store_id = "s", .stream = "readings", .first = 1, .last = 1},
                  {{.sequence = 1,
                    .device = device,
                    .model = "ns/m",
                    .property = "temp",
                    .time = absl::Now(),
                    .value = std::string(30000, 'v')}}),
              IsOk());
  EXPECT_GE(sizes["telemetry"], empty.at("telemetry") + 20000);
}

// [dc-7.1]
TEST(StoreSetTest, ReplicasShareADatabase) {
  testing::TempDir dir;
  SystemClock clock;
  auto server = testing::LocalPostgres::Start();
  ASSERT_THAT(server, IsOk());
  const std::string url = absl::StrCat(*(*server)->CreateDatabase(), "\n");
  const StoreSet::Options options{.postgres_url_file = dir.Write("url", url)};
  auto one = StoreSet::Open(options, clock, log::Logger::Null());
  ASSERT_THAT(one, IsOk());
  auto other = StoreSet::Open(options, clock, log::Logger::Null());
  ASSERT_THAT(other, IsOk());
  ExpectShared(**one, **other);
}

// As on a machine that boots.
TEST(StoreSetTest, AServiceThatStartsWaitsForItsDatabase) {
  testing::TempDir dir;
  SystemClock clock;
  auto server = testing::LocalPostgres::Start();
  ASSERT_THAT(server, IsOk());
  const std::string url = dir.Write("url", *(*server)->CreateDatabase());
  (*server)->Crash();
  process::Readiness readiness;
  absl::Notification waits;
  readiness.OnChange([&waits](bool ready) {
    if (!ready && !waits.HasBeenNotified()) waits.Notify();
  });
  std::thread late([&] {
    waits.WaitForNotification();
    EXPECT_THAT((*server)->Restart(), IsOk());
  });
  auto set = StoreSet::Open({.postgres_url_file = url, .readiness = &readiness}, clock,
                            log::Logger::Null());
  late.join();
  ASSERT_THAT(set, IsOk());
  EXPECT_TRUE(readiness.ready());
  ExpectShared(**set, **set);
}

TEST(StoreSetTest, ADatabaseThatIsNotThereIsSaid) {
  testing::TempDir dir;
  SystemClock clock;
  const std::string url = absl::StrCat("host=", dir.path(), " dbname=none");
  EXPECT_THAT(
      StoreSet::Open({.postgres_url_file = dir.Write("url", url)}, clock, log::Logger::Null()),
      StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(
      StoreSet::Open({.postgres_url_file = dir.path() + "/missing"}, clock, log::Logger::Null())
          .status()
          .ok(),
      false);
}

}  // namespace
}  // namespace skerry::devicecontroller
