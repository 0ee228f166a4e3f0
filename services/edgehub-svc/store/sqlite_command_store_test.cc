#include "services/edgehub-svc/store/sqlite_command_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "services/lib/base/error.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

using State = link::edge::CommandRecord::State;

link::Command Make(const std::string& key, bool reexecutable = false,
                   const std::string& payload = "p") {
  return {key, "method", payload, absl::Seconds(30), absl::Seconds(60), reexecutable};
}

class SqliteCommandStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteCommandStore> Open(const CommandBounds& bounds = {}) {
    absl::StatusOr<std::unique_ptr<SqliteCommandStore>> store =
        SqliteCommandStore::Open(folder_.File("commands.db"), bounds, clock_);
    EXPECT_TRUE(store.ok()) << store.status();
    return *std::move(store);
  }

  // Flips a bit of the first place of the file that has `text`.
  void FlipInFile(const std::string& text) {
    std::fstream file(folder_.File("commands.db"), std::ios::in | std::ios::out | std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    const size_t at = bytes.find(text);
    ASSERT_NE(at, std::string::npos);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(bytes[at] ^ 1));
  }

  testing::TempDir folder_;
  testing::FakeClock clock_;
};

// link-10.1
TEST_F(SqliteCommandStoreTest, StartsAKeyOnce) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  EXPECT_EQ(store->Begin(Make("a"), false).state, State::kAbsent);
  EXPECT_EQ(store->Begin(Make("a"), true).state, State::kBegun);
  EXPECT_EQ(store->Begin(Make("a"), true).state, State::kStarted);
  EXPECT_EQ(store->Read("a").state, State::kStarted);
  EXPECT_EQ(store->stats().records, 1);
}

TEST_F(SqliteCommandStoreTest, StartsAReexecutableOneAgainUntilItEnds) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  EXPECT_EQ(store->Begin(Make("a", true), true).state, State::kBegun);
  EXPECT_EQ(store->Begin(Make("a", true), false).state, State::kStarted);
  EXPECT_EQ(store->Begin(Make("a", true), true).state, State::kBegun);
  ASSERT_TRUE(store->Finish("a", absl::OkStatus(), "done").ok());
  EXPECT_EQ(store->Begin(Make("a", true), true).state, State::kDone);
  EXPECT_EQ(store->stats().records, 1);
}

// link-10.6, link-10.7
TEST_F(SqliteCommandStoreTest, RemembersOverARestart) {
  Open()->Begin(Make("started"), true);
  {
    std::unique_ptr<SqliteCommandStore> store = Open();
    store->Begin(Make("ended"), true);
    const absl::Status why =
        Error(absl::StatusCode::kNotFound, "no such door").Reason("NO_DOOR").Meta("door", "7");
    ASSERT_TRUE(store->Finish("ended", why, std::string("a\0b", 3)).ok());
  }
  std::unique_ptr<SqliteCommandStore> store = Open();
  EXPECT_EQ(store->Begin(Make("started"), true).state, State::kStarted);
  const link::edge::CommandRecord record = store->Read("ended");
  EXPECT_EQ(record.state, State::kDone);
  EXPECT_EQ(record.response, std::string("a\0b", 3));
  EXPECT_EQ(record.status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(GetErrorInfo(record.status).metadata["door"], "7");
  EXPECT_EQ(store->stats().records, 2);
  EXPECT_EQ(store->stats().response_bytes, 3);
}

TEST_F(SqliteCommandStoreTest, EndsOnce) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  EXPECT_EQ(store->Finish("a", absl::OkStatus(), "").status().code(), absl::StatusCode::kNotFound);
  store->Begin(Make("a"), true);
  EXPECT_TRUE(store->Finish("a", absl::OkStatus(), "first").ok());
  EXPECT_FALSE(store->Finish("a", absl::OkStatus(), "second").ok());
  EXPECT_EQ(store->Read("a").response, "first");
}

TEST_F(SqliteCommandStoreTest, RefusesAKeyOfOtherContent) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  store->Begin(Make("a"), true);
  const link::edge::CommandRecord record = store->Begin(Make("a", false, "other"), true);
  EXPECT_EQ(record.state, State::kRefused);
  EXPECT_EQ(GetErrorInfo(record.status).reason, "IDEMPOTENCY_KEY_REUSED");
}

TEST_F(SqliteCommandStoreTest, ForgetsOnlyWhatDidNotEnd) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  store->Begin(Make("a"), true);
  ASSERT_TRUE(store->Forget("a").ok());
  EXPECT_EQ(store->Begin(Make("a"), true).state, State::kBegun);
  ASSERT_TRUE(store->Finish("a", absl::OkStatus(), "").ok());
  ASSERT_TRUE(store->Forget("a").ok());
  EXPECT_EQ(store->Begin(Make("a"), true).state, State::kDone);
  EXPECT_EQ(store->stats().records, 1);
}

TEST_F(SqliteCommandStoreTest, DropsTheOldestResponsesAndKeepsTheirKeys) {
  std::unique_ptr<SqliteCommandStore> store = Open({.response_bytes_max = 25});
  for (const char* key : {"a", "b", "c"}) {
    clock_.Advance(absl::Seconds(1));
    store->Begin(Make(key), true);
    ASSERT_TRUE(store->Finish(key, absl::OkStatus(), "0123456789").ok());
  }
  const link::edge::CommandRecord record = store->Read("a");
  EXPECT_EQ(record.state, State::kDone);
  EXPECT_EQ(GetErrorInfo(record.status).reason, "COMMAND_RESPONSE_DROPPED");
  EXPECT_EQ(store->Begin(Make("a"), true).state, State::kDone);
  EXPECT_TRUE(store->Read("b").status.ok());
  EXPECT_EQ(store->stats().response_bytes, 20);
}

TEST_F(SqliteCommandStoreTest, RefusesNewKeysWhenItIsFull) {
  std::unique_ptr<SqliteCommandStore> store = Open({.records_max = 1});
  store->Begin(Make("a", true), true);
  EXPECT_EQ(GetErrorInfo(store->Begin(Make("b"), true).status).reason, "COMMAND_RECORDS_FULL");
  EXPECT_EQ(store->Begin(Make("a", true), true).state, State::kBegun);
  ASSERT_TRUE(store->Forget("a").ok());
  EXPECT_EQ(store->Begin(Make("b"), true).state, State::kBegun);
}

TEST_F(SqliteCommandStoreTest, ForgetsAfterTheRetention) {
  std::unique_ptr<SqliteCommandStore> store = Open({.key_retention = absl::Hours(1)});
  store->Begin(Make("ended"), true);
  store->Begin(Make("started"), true);
  clock_.Advance(absl::Hours(2));
  ASSERT_TRUE(store->Finish("ended", absl::OkStatus(), "r").ok());
  clock_.Advance(absl::Minutes(59));
  EXPECT_EQ(*store->DropExpired(), 0);
  // A step of the wall clock ages nothing.
  clock_.SetNow(clock_.Now() + absl::Hours(1000));
  EXPECT_EQ(*store->DropExpired(), 0);
  store = nullptr;
  store = Open({.key_retention = absl::Hours(1)});
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(*store->DropExpired(), 1);
  EXPECT_EQ(store->Read("ended").state, State::kAbsent);
  EXPECT_EQ(store->Read("started").state, State::kStarted);
  clock_.Advance(absl::Hours(24));
  EXPECT_EQ(*store->DropExpired(), 1);
  EXPECT_EQ(store->stats().records, 0);
  EXPECT_EQ(store->stats().response_bytes, 0);
}

// link-10.1: the cloud may send a command again for as long as it may live.
TEST_F(SqliteCommandStoreTest, RemembersAKeyForAsLongAsTheCloudMaySendIt) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  for (const char* key : {"well", "badly"}) store->Begin(Make(key), true);
  ASSERT_TRUE(store->Finish("well", absl::OkStatus(), "response").ok());
  ASSERT_TRUE(store->Finish("badly", absl::NotFoundError("no such door"), "").ok());
  clock_.Advance(absl::Hours(23));
  EXPECT_EQ(*store->DropExpired(), 0);
  EXPECT_EQ(store->Read("well").response, "response");
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(*store->DropExpired(), 0);
  EXPECT_EQ(store->stats().response_bytes, 0);
  clock_.Advance(link::kCommandExpiryMax - absl::Hours(2));
  EXPECT_EQ(*store->DropExpired(), 0);
  store = nullptr;
  store = Open();
  EXPECT_FALSE(store->repair().has_value());
  for (const char* key : {"well", "badly"}) {
    EXPECT_EQ(store->Begin(Make(key), true).state, State::kDone);
    const link::edge::CommandRecord record = store->Read(key);
    EXPECT_EQ(record.state, State::kDone);
    EXPECT_EQ(record.status.code(), absl::StatusCode::kAborted);
    EXPECT_EQ(GetErrorInfo(record.status).reason, "COMMAND_OUTCOME_UNKNOWN");
    EXPECT_FALSE(store->Finish(key, absl::OkStatus(), "again").ok());
  }
  const link::edge::CommandRecord other = store->Begin(Make("well", false, "other"), true);
  EXPECT_EQ(GetErrorInfo(other.status).reason, "IDEMPOTENCY_KEY_REUSED");
  clock_.Advance(link::kCommandDeadlineMax);
  EXPECT_EQ(*store->DropExpired(), 2);
  EXPECT_EQ(store->Begin(Make("well"), true).state, State::kBegun);
}

// It is at work from its last start on.
TEST_F(SqliteCommandStoreTest, RemembersAReexecutableOneFromItsLastStart) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  store->Begin(Make("a", true), true);
  clock_.Advance(absl::Hours(24 * 33));
  EXPECT_EQ(store->Begin(Make("a", true), true).state, State::kBegun);
  EXPECT_EQ(*store->DropExpired(), 0);
  EXPECT_TRUE(store->Finish("a", absl::OkStatus(), "r").ok());
}

// ADR 18: what went bad while the store is open is not told to the cloud, and starts nothing.
TEST_F(SqliteCommandStoreTest, FindsDamageWhenItReads) {
  std::unique_ptr<SqliteCommandStore> store = Open();
  store->Begin(Make("a"), true);
  ASSERT_TRUE(store->Finish("a", absl::OkStatus(), "response").ok());
  {
    constexpr const char* kAsItIs[] = {""};
    auto other = sqlite::Database::Open(
        {.path = folder_.File("commands.db"), .check_integrity = false}, kAsItIs);
    ASSERT_TRUE(other.ok()) << other.status();
    ASSERT_TRUE((*other)->Execute("UPDATE command SET response = x'00'").ok());
  }
  EXPECT_EQ(store->Read("a").state, State::kRefused);
  const link::edge::CommandRecord record = store->Begin(Make("a"), true);
  EXPECT_EQ(record.state, State::kRefused);
  EXPECT_EQ(GetErrorInfo(record.status).reason, "COMMAND_OUTCOME_UNKNOWN");
}

TEST_F(SqliteCommandStoreTest, SetsADamagedFileAside) {
  std::ofstream(folder_.File("commands.db")) << std::string(5000, 'x');
  std::unique_ptr<SqliteCommandStore> store = Open();
  EXPECT_TRUE(store->repair().has_value());
  EXPECT_EQ(store->Begin(Make("a"), true).state, State::kBegun);
}

// Every way of writing a row leaves it with its checksum, and none of them is taken for damage.
TEST_F(SqliteCommandStoreTest, KeepsWhatADamagedFileStillTells) {
  const std::string large(20000, 'r');
  {
    std::unique_ptr<SqliteCommandStore> store = Open({.response_bytes_max = 25000});
    for (const char* key : {"dropped", "marked", "started"}) {
      clock_.Advance(absl::Seconds(1));
      store->Begin(Make(key), true);
    }
    ASSERT_TRUE(store->Finish("dropped", absl::OkStatus(), large).ok());
    clock_.Advance(absl::Seconds(1));
    ASSERT_TRUE(store->Finish("marked", absl::OkStatus(), "marker" + large).ok());
    ASSERT_TRUE(store->DropExpired().ok());
  }
  EXPECT_FALSE(Open()->repair().has_value());
  FlipInFile("marker");
  std::unique_ptr<SqliteCommandStore> store = Open();
  ASSERT_TRUE(store->repair().has_value());
  EXPECT_EQ(store->Begin(Make("dropped"), true).state, State::kDone);
  EXPECT_EQ(store->Begin(Make("started"), true).state, State::kStarted);
  EXPECT_EQ(store->Begin(Make("marked"), true).state, State::kBegun);
}

}  // namespace
}  // namespace skerry::edgehub
