#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/status_matchers.h"
#include "services/router-svc/store/message_store_contract.h"
#include "services/router-svc/store/sqlite_message_tables.h"
#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using sqlite::testing::SimDisk;
using ::testing::IsEmpty;
using ::testing::SizeIs;

INSTANTIATE_TEST_SUITE_P(Sqlite, MessageStoreContract, ::testing::Values(MakeStore([] {
                           auto disk = std::make_shared<SimDisk>(1);
                           return OpenStore([disk](const TableMessageStore::Bounds& bounds) {
                             auto tables = SqliteMessageTables::Open("router.db", 0, {disk.get()});
                             EXPECT_THAT(tables, IsOk());
                             return *TableMessageStore::Open(*std::move(tables), bounds);
                           });
                         })));

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const EventSource kSource{.node = "edge-1", .stream = "usermessages", .store_id = "s1"};

NewMessage For(const std::string& rule, const std::string& payload) {
  return {.rule = rule,
          .rule_uid = "u",
          .key = absl::StrCat("k-", payload.substr(0, 16)),
          .node = "edge-1",
          .source = "ns/t",
          .content_type = "text/plain",
          .payload = payload};
}

TEST(SqliteMessageStoreTest, SaysThatTheFileIsFull) {
  SimDisk disk(1);
  auto store =
      *TableMessageStore::Open(*SqliteMessageTables::Open("router.db", 64 << 10, {&disk}), {});
  EXPECT_THAT(
      store->Accept(kSource,
                    {{.sequence = 1, .messages = {For("ns/a", std::string(100'000, 'x'))}}}, kNow),
      HasReason("DATABASE_FULL"));
  EXPECT_THAT(*store->Waiting("ns/a", 10), IsEmpty());
  EXPECT_THAT(store->Accept(kSource, {{.sequence = 1, .messages = {For("ns/a", "small")}}}, kNow),
              IsOk());
  EXPECT_THAT(*store->Waiting("ns/a", 10), SizeIs(1));
}

absl::StatusOr<std::unique_ptr<TableMessageStore>> Open(SimDisk& disk) {
  auto tables = SqliteMessageTables::Open("router.db", 0, {&disk});
  if (!tables.ok()) return tables.status();
  EXPECT_FALSE((*tables)->repair().has_value());
  return TableMessageStore::Open(*std::move(tables), {});
}

// What was answered is there after a power cut at any write, and nothing twice.
TEST(SqliteMessageStoreCrashTest, SurvivesACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937_64 random(seed);
    SimDisk disk(seed);
    disk.CutPowerIn(static_cast<int64_t>(random() % 150));
    uint64_t stored = 0;
    auto store = Open(disk);
    for (uint64_t i = 1; store.ok() && i <= 30; ++i) {
      if (!(*store)
               ->Accept(kSource, {{.sequence = i, .messages = {For("ns/a", absl::StrCat(i))}}},
                        kNow)
               .ok())
        break;
      stored = i;
    }
    if (store.ok()) store->reset();
    disk.Restart();
    auto after = Open(disk);
    ASSERT_THAT(after, IsOk());
    std::vector<NewEvent> again;
    for (uint64_t i = 1; i <= 31; ++i)
      again.push_back({.sequence = i, .messages = {For("ns/a", absl::StrCat(i))}});
    const auto accepted = (*after)->Accept(kSource, again, kNow);
    ASSERT_THAT(accepted, IsOk());
    ASSERT_GE(accepted->repeated, static_cast<int64_t>(stored));
    const std::vector<Message> waiting = *(*after)->Waiting("ns/a", 100);
    ASSERT_THAT(waiting, SizeIs(31));
    for (uint64_t i = 0; i < 31; ++i) ASSERT_EQ(waiting[i].payload, absl::StrCat(i + 1));
  }
}

}  // namespace
}  // namespace skerry::router
