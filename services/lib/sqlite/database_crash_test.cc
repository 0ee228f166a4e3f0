// Databases on a disk whose power is cut at any write, whose bits flip, that fails and fills up.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/sqlite/database.h"
#include "services/lib/sqlite/testing/sim_disk.h"

namespace skerry::sqlite {
namespace {

using testing::SimDisk;

constexpr const char* kMigrations[] = {
    "CREATE TABLE made (id INTEGER PRIMARY KEY CHECK (id = 1), repairs INTEGER NOT NULL);"
    "INSERT INTO made VALUES (1, 0);"
    "CREATE TABLE t (key TEXT NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1, PRIMARY KEY (key, number)) WITHOUT ROWID;"
    "CREATE INDEX t_by_number ON t (number)",
};
constexpr char kPath[] = "test.db";
using Rows = std::map<int64_t, std::string>;

DatabaseOptions On(SimDisk& disk) {
  return {.path = kPath,
          .keep_room = true,
          .after_repair =
              [](Database& database, const Repair&) {
                return database.Execute("UPDATE made SET repairs = repairs + 1");
              },
          .copied_tables = {"t"},
          .environment = {.storage = &disk}};
}

std::unique_ptr<Database> Open(SimDisk& disk) {
  auto database = Database::Open(On(disk), kMigrations);
  EXPECT_TRUE(database.ok()) << database.status();
  return database.ok() ? *std::move(database) : nullptr;
}

absl::Status Put(Database& database, int64_t number, const std::string& value) {
  Statement insert =
      database.Prepare("INSERT OR REPLACE INTO t VALUES ('k', ?1, ?2, row_checksum('k', ?1, ?2))");
  return insert.Bind(1, number).BindBlob(2, value).Run();
}

absl::Status Delete(Database& database, int64_t up_to) {
  return database.Prepare("DELETE FROM t WHERE number <= ?1").Bind(1, up_to).Run();
}

Rows Read(Database& database) {
  Rows rows;
  Statement read = database.Prepare("SELECT number, value FROM t");
  while (true) {
    absl::StatusOr<bool> found = read.Step();
    EXPECT_TRUE(found.ok()) << found.status();
    if (!found.ok() || !*found) return rows;
    rows[read.Int(0)] = read.Text(1);
  }
}

// Changes the database and `stored` alike until the power is off or `steps` are done; `next` is
// what the last commit, which was not answered, would have made of it.
void Work(Database& database, std::mt19937_64& random, int64_t& number, int steps, Rows& stored,
          Rows& next) {
  for (int step = 0; step < steps; ++step) {
    next = stored;
    const absl::Status status = database.Transaction([&]() -> absl::Status {
      if (random() % 4 == 0) {
        const int64_t up_to = number - static_cast<int64_t>(random() % 20);
        next.erase(next.begin(), next.upper_bound(up_to));
        absl::Status deleted = Delete(database, up_to);
        if (!deleted.ok()) return deleted;
      }
      for (uint64_t i = 0, count = 1 + random() % 3; i < count; ++i) {
        const std::string value(random() % 9000, static_cast<char>('a' + random() % 26));
        next[++number] = value;
        absl::Status put = Put(database, number, value);
        if (!put.ok()) return put;
      }
      return absl::OkStatus();
    });
    if (!status.ok()) return;
    stored = next;
  }
}

std::string BytesAfterCut(uint64_t seed) {
  SimDisk disk(seed);
  std::mt19937_64 random(seed);
  Rows stored, next;
  int64_t number = 0;
  {
    auto database = Open(disk);
    disk.CutPowerIn(static_cast<int64_t>(random() % 60));
    Work(*database, random, number, 30, stored, next);
  }
  disk.Restart();
  std::string bytes;
  for (const std::string& path : disk.List("")) absl::StrAppend(&bytes, path, disk.Bytes(path));
  return bytes;
}

TEST(DatabaseCrashTest, ASeedReproduces) {
  const std::string bytes = BytesAfterCut(7);
  EXPECT_EQ(bytes, BytesAfterCut(7));
  EXPECT_NE(bytes, BytesAfterCut(8));
}

// A5: each commit that was answered is there after a cut, and none in part.
TEST(DatabaseCrashTest, CommitsSurviveACutAtAnyWrite) {
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    Rows stored, next;
    int64_t number = 0;
    for (int cut = 0; cut < 3; ++cut) {
      disk.CutPowerIn(static_cast<int64_t>(random() % 200));  // Also while it is opened.
      auto database = Database::Open(On(disk), kMigrations);
      if (database.ok()) {
        EXPECT_FALSE((*database)->repair().has_value());
        Work(**database, random, number, 40, stored, next);
        database->reset();
      }
      disk.Restart();
      auto after = Open(disk);
      ASSERT_NE(after, nullptr);
      ASSERT_FALSE(after->repair().has_value());
      const Rows rows = Read(*after);
      ASSERT_TRUE(rows == stored || rows == next);
      stored = next = rows;
    }
  }
}

// No flipped bit is fatal or believed: what the file still gives is what was put.
TEST(DatabaseCrashTest, FlippedBitsAreFoundAndWhatIsGoodIsTakenOver) {
  int repairs = 0;
  int64_t kept = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    Rows stored, next;
    int64_t number = 0;
    {
      auto database = Open(disk);
      Work(*database, random, number, 30, stored, next);
    }
    disk.Rot(kPath);
    auto database = Open(disk);
    ASSERT_NE(database, nullptr);
    const Rows rows = Read(*database);
    for (const auto& [key, value] : rows) {
      ASSERT_EQ(stored.count(key), 1u);
      ASSERT_EQ(stored[key], value);
    }
    if (!database->repair().has_value()) {
      ASSERT_TRUE(rows == stored);
      continue;
    }
    ++repairs;
    kept += static_cast<int64_t>(rows.size());
    if (database->repair()->incomplete.count("t") == 0) {
      ASSERT_TRUE(rows == stored);
    }
    EXPECT_TRUE(disk.Exists(database->repair()->set_aside));
    Statement made = database->Prepare("SELECT repairs FROM made");
    ASSERT_TRUE(*made.Step());
    EXPECT_EQ(made.Int(0), 1);
  }
  EXPECT_GT(repairs, 50);
  EXPECT_GT(kept, 2 * repairs) << "a damage should not take all";
}

// A repair is all or nothing, whenever the power fails in it.
TEST(DatabaseCrashTest, ARepairSurvivesCuts) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    Rows stored, next;
    int64_t number = 0;
    {
      auto database = Open(disk);
      Work(*database, random, number, 15, stored, next);
      ASSERT_TRUE(Put(*database, number + 1, "the one that is hit").ok());
    }
    std::string bytes = disk.Bytes(kPath);
    const size_t at = bytes.find("the one that is hit");
    ASSERT_NE(at, std::string::npos);
    bytes[at] ^= 1;
    disk.SetBytes(kPath, bytes);
    // Its truncation may be undone by a cut, and then it would mend the row.
    disk.SetBytes(absl::StrCat(kPath, "-wal"), "");
    for (int cut = 0; cut < 4; ++cut) {
      disk.CutPowerIn(static_cast<int64_t>(random() % 120));
      Database::Open(On(disk), kMigrations).status().IgnoreError();
      disk.Restart();
    }
    auto database = Open(disk);
    ASSERT_NE(database, nullptr);
    ASSERT_TRUE(Read(*database) == stored);
    Statement made = database->Prepare("SELECT repairs FROM made");
    ASSERT_TRUE(*made.Step());
    ASSERT_EQ(made.Int(0), 1);
  }
}

TEST(DatabaseCrashTest, MissingRowsComeFromTheCopy) {
  SimDisk disk(1);
  Rows stored;
  {
    auto database = Open(disk);
    for (int64_t i = 1; i <= 40; ++i) {
      stored[i] = std::string(1000, static_cast<char>('a' + i % 26));
      ASSERT_TRUE(Put(*database, i, stored[i]).ok());
    }
    ASSERT_TRUE(database->WriteCopy().ok());
    stored[41] = "later";
    ASSERT_TRUE(Put(*database, 41, stored[41]).ok());
  }
  std::string bytes = disk.Bytes(kPath);
  for (size_t at = 4096; at < bytes.size(); at += 4096) bytes.replace(at + 100, 40, 40, '\xee');
  disk.SetBytes(kPath, bytes);
  auto database = Open(disk);
  ASSERT_TRUE(database->repair().has_value());
  EXPECT_EQ(database->repair()->from_copy, (std::set<std::string>{"t"}));
  Rows rows = Read(*database);
  stored.erase(41);
  rows.erase(41);
  EXPECT_EQ(rows, stored);
}

TEST(DatabaseCrashTest, WhatWentBadIsNotCopiedOverTheCopy) {
  SimDisk disk(1);
  Rows stored;
  {
    auto database = Open(disk);
    for (int64_t i = 1; i <= 5; ++i)
      ASSERT_TRUE(Put(*database, i, stored[i] = std::string(100, 'x')).ok());
    ASSERT_TRUE(database->WriteCopy().ok());
    // As a bit that flips.
    ASSERT_TRUE(database->Execute("UPDATE t SET value = x'00' WHERE number = 3").ok());
    EXPECT_TRUE(absl::IsDataLoss(database->WriteCopy()));
  }
  auto database = Open(disk);
  ASSERT_TRUE(database->repair().has_value());
  EXPECT_EQ(database->repair()->from_copy, (std::set<std::string>{"t"}));
  EXPECT_EQ(Read(*database), stored);
}

// A new copy takes the place of the former one whole.
TEST(DatabaseCrashTest, ThereIsACopyWheneverThePowerFails) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    {
      auto database = Open(disk);
      for (int64_t i = 1; i <= 5; ++i) ASSERT_TRUE(Put(*database, i, std::string(3000, 'x')).ok());
      ASSERT_TRUE(database->WriteCopy().ok());
      ASSERT_TRUE(Put(*database, 6, "y").ok());
      disk.CutPowerIn(static_cast<int64_t>(random() % 60));
      database->WriteCopy().IgnoreError();
    }
    disk.Restart();
    disk.SetBytes(kPath, std::string(4096, '\xee'));
    disk.SetBytes(absl::StrCat(kPath, "-wal"), "");
    auto database = Open(disk);
    ASSERT_TRUE(database->repair().has_value());
    EXPECT_GE(Read(*database).size(), 5u);
  }
}

TEST(DatabaseCrashTest, ADiskThatDoesNotReadIsNoDamage) {
  SimDisk disk(1);
  Rows stored, next;
  int64_t number = 0;
  std::mt19937_64 random(1);
  {
    auto database = Open(disk);
    Work(*database, random, number, 20, stored, next);
  }
  disk.FailIn(0, 1000);
  auto failed = Database::Open(On(disk), kMigrations);
  EXPECT_TRUE(absl::IsUnavailable(failed.status())) << failed.status();
  disk.FailIn(0, 0);
  EXPECT_EQ(Read(*Open(disk)), stored);
}

// Errors of single operations: the commit is refused whole, the next goes in.
TEST(DatabaseCrashTest, AFailedWriteRefusesOneCommit) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    Rows stored, next;
    int64_t number = 0;
    auto database = Open(disk);
    disk.FailIn(static_cast<int64_t>(random() % 100), 1 + static_cast<int64_t>(random() % 3));
    for (int i = 0; i < 10; ++i) Work(*database, random, number, 5, stored, next);
    ASSERT_TRUE(Read(*database) == stored);
    database.reset();
    ASSERT_TRUE(Read(*Open(disk)) == stored);
  }
}

// A full disk refuses what grows, lets go what is there, and works by itself when it has room.
TEST(DatabaseCrashTest, AFullDiskCanBeDrained) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    SimDisk disk(seed);
    std::mt19937_64 random(seed);
    auto database = Open(disk);
    disk.SetCapacity(disk.UsedBytes() + static_cast<int64_t>(random() % (2 << 20)));
    absl::Status status;
    int64_t number = 0;
    while (status.ok()) {
      status = database->Transaction(
          [&] { return Put(*database, number + 1, std::string(random() % 20000, 'x')); });
      if (status.ok()) ++number;
    }
    ASSERT_EQ(GetErrorInfo(status).reason, "DATABASE_FULL") << status;
    disk.SetCapacity(disk.UsedBytes());  // Somebody else takes the rest.
    for (int64_t up_to = 1; up_to <= number; ++up_to) {
      status = database->Transaction([&] { return Delete(*database, up_to); });
      ASSERT_TRUE(status.ok()) << up_to << " of " << number << ": " << status;
      if (random() % 40 != 0) continue;
      database.reset();  // Over a restart, too.
      database = Open(disk);
      ASSERT_NE(database, nullptr);
    }
    // The room that is free within the file takes new rows.
    if (number > 10) {
      status = database->Transaction([&] { return Put(*database, ++number, "small"); });
      ASSERT_TRUE(status.ok()) << status;
    }
    disk.SetCapacity(int64_t{1} << 30);
    status =
        database->Transaction([&] { return Put(*database, ++number, std::string(3 << 20, 'y')); });
    ASSERT_TRUE(status.ok()) << status;
  }
}

}  // namespace
}  // namespace skerry::sqlite
