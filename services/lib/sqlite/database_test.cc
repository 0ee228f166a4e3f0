#include "services/lib/sqlite/database.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "services/lib/base/error.h"

namespace skerry::sqlite {
namespace {

constexpr const char* kMigrations[] = {
    "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE child (t INTEGER NOT NULL REFERENCES t(id)); ALTER TABLE t ADD COLUMN value BLOB",
};

class DatabaseTest : public testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/skerry-sqlite-XXXXXX";
    folder_ = mkdtemp(pattern);
    path_ = folder_ + "/test.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::unique_ptr<Database>> TryOpen(int64_t size_bytes_max = 0) {
    return Database::Open({.path = path_, .size_bytes_max = size_bytes_max}, kMigrations);
  }
  std::unique_ptr<Database> Open(int64_t size_bytes_max = 0) {
    auto database = TryOpen(size_bytes_max);
    EXPECT_TRUE(database.ok()) << database.status();
    return database.ok() ? *std::move(database) : nullptr;
  }
  static absl::Status Insert(Database& database, int64_t id, absl::string_view name,
                             absl::string_view value = "") {
    return database.Prepare("INSERT INTO t (id, name, value) VALUES (?, ?, ?)")
        .Bind(1, id)
        .Bind(2, name)
        .BindBlob(3, value)
        .Run();
  }
  static int64_t Count(Database& database) {
    Statement count = database.Prepare("SELECT COUNT(*) FROM t");
    const absl::StatusOr<bool> row = count.Step();
    EXPECT_TRUE(row.ok() && *row);
    return count.Int(0);
  }

  std::string folder_;
  std::string path_;
};

TEST_F(DatabaseTest, KeepsRowsAcrossOpens) {
  ASSERT_TRUE(Insert(*Open(), 1, "one").ok());
  auto database = Open();
  EXPECT_EQ(Count(*database), 1);
  EXPECT_FALSE(database->repair().has_value());
}

TEST_F(DatabaseTest, ReadsBackWhatWasBound) {
  auto database = Open();
  ASSERT_TRUE(Insert(*database, 7, "", absl::string_view("a\0b", 3)).ok());
  EXPECT_EQ(database->LastInsertRowId(), 7);
  EXPECT_EQ(database->Changes(), 1);
  Statement read = database->Prepare("SELECT id, name, value, NULL FROM t WHERE id = ?");
  read.Bind(1, 7);
  ASSERT_TRUE(*read.Step());
  EXPECT_EQ(read.Int(0), 7);
  EXPECT_EQ(read.Text(1), "");
  EXPECT_FALSE(read.IsNull(1));
  EXPECT_EQ(read.Text(2), std::string("a\0b", 3));
  EXPECT_TRUE(read.IsNull(3));
  EXPECT_EQ(read.Text(3), "");
  EXPECT_FALSE(*read.Step());
}

TEST_F(DatabaseTest, ReusesAStatementWithItsBindingsCleared) {
  auto database = Open();
  for (int64_t id = 0; id < 2; ++id) {
    Statement value = database->Prepare("SELECT ?");
    ASSERT_TRUE(*value.Step());
    EXPECT_TRUE(value.IsNull(0));
    Statement again(std::move(value));
  }
  // Twice at once: two statements.
  Statement first = database->Prepare("SELECT ?");
  Statement second = database->Prepare("SELECT ?");
  first.Bind(1, 1);
  second.Bind(1, 2);
  ASSERT_TRUE(*first.Step());
  ASSERT_TRUE(*second.Step());
  EXPECT_EQ(first.Int(0), 1);
  EXPECT_EQ(second.Int(0), 2);
}

TEST_F(DatabaseTest, ShowsABadBindAtTheStep) {
  auto database = Open();
  EXPECT_EQ(database->Prepare("SELECT 1").Bind(3, 1).Run().code(), absl::StatusCode::kInternal);
}

TEST_F(DatabaseTest, MapsConstraintErrors) {
  auto database = Open();
  ASSERT_TRUE(Insert(*database, 1, "one").ok());
  EXPECT_TRUE(absl::IsAlreadyExists(Insert(*database, 1, "two")));
  EXPECT_TRUE(absl::IsAlreadyExists(Insert(*database, 2, "one")));
  EXPECT_TRUE(absl::IsFailedPrecondition(database->Execute("INSERT INTO child VALUES (9)")));
}

TEST_F(DatabaseTest, TransactionRollsBackWhenTheBodyFails) {
  auto database = Open();
  const absl::Status status = database->Transaction([&] {
    EXPECT_TRUE(Insert(*database, 1, "one").ok());
    return absl::AbortedError("no");
  });
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_EQ(Count(*database), 0);
  ASSERT_TRUE(database->Transaction([&] { return Insert(*database, 1, "one"); }).ok());
  EXPECT_EQ(Count(*database), 1);
}

TEST_F(DatabaseTest, TransactionRollsBackWhenTheCommitFails) {
  auto database = Open();
  ASSERT_TRUE(
      database->Execute("CREATE TABLE d (t INTEGER REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED)")
          .ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(
      database->Transaction([&] { return database->Execute("INSERT INTO d VALUES (5)"); })));
  EXPECT_TRUE(database->Transaction([&] { return Insert(*database, 1, "one"); }).ok());
}

TEST_F(DatabaseTest, AppliesOnlyMissingMigrations) {
  {
    auto old = Database::Open({.path = path_}, absl::MakeConstSpan(kMigrations, 1));
    ASSERT_TRUE(old.ok());
    ASSERT_TRUE((*old)->Execute("INSERT INTO t VALUES (1, 'one')").ok());
  }
  auto database = Open();
  EXPECT_EQ(Count(*database), 1);
  EXPECT_TRUE(Insert(*database, 2, "two", "v").ok());
}

TEST_F(DatabaseTest, LeavesTheFileAsItWasWhenAMigrationFails) {
  Open();
  constexpr const char* kBroken[] = {kMigrations[0], kMigrations[1],
                                     "CREATE TABLE x (i); CREATE TABLE x (i)"};
  EXPECT_FALSE(Database::Open({.path = path_}, kBroken).ok());
  auto database = Open();
  EXPECT_TRUE(database->Execute("CREATE TABLE x (i)").ok());
}

TEST_F(DatabaseTest, RefusesAFileOfANewerVersion) {
  Open();
  auto old = Database::Open({.path = path_}, absl::MakeConstSpan(kMigrations, 1));
  EXPECT_TRUE(absl::IsFailedPrecondition(old.status()));
  EXPECT_EQ(GetErrorInfo(old.status()).reason, "DATABASE_TOO_NEW");
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(DatabaseTest, SetsGarbageAside) {
  std::ofstream(path_) << std::string(20000, 'x');
  auto database = Open();
  ASSERT_TRUE(database->repair().has_value());
  EXPECT_TRUE(absl::StartsWith(database->repair()->set_aside, path_ + ".damaged-"));
  EXPECT_EQ(std::filesystem::file_size(database->repair()->set_aside), 20000u);
  EXPECT_TRUE(Insert(*database, 1, "one").ok());
}

TEST_F(DatabaseTest, LeavesADamagedFileWhereToldTo) {
  std::ofstream(path_) << std::string(20000, 'x');
  auto database = Database::Open({.path = path_, .set_aside_damaged = false}, kMigrations);
  EXPECT_TRUE(absl::IsDataLoss(database.status())) << database.status();
  EXPECT_EQ(std::filesystem::file_size(path_), 20000u);
}

TEST_F(DatabaseTest, SetsAFileWithADamagedPageAside) {
  {
    auto database = Open();
    for (int64_t i = 0; i < 500; ++i)
      ASSERT_TRUE(Insert(*database, i, std::to_string(i), std::string(100, 'v')).ok());
  }
  {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    for (int page = 2; page < 12; ++page) {
      file.seekp(page * 4096);
      file << std::string(2048, '\xee');
    }
  }
  auto database = Open();
  EXPECT_TRUE(database->repair().has_value());
  EXPECT_EQ(Count(*database), 0);
  // A second damage in the same second gets a name of its own.
  database.reset();
  std::filesystem::remove(path_ + "-wal");
  std::ofstream(path_, std::ios::trunc) << std::string(9000, 'y');
  auto again = Open();
  ASSERT_TRUE(again->repair().has_value());
  EXPECT_EQ(std::filesystem::file_size(again->repair()->set_aside), 9000u);
}

TEST_F(DatabaseTest, RefusesAFolderThatIsNotThere) {
  path_ = folder_ + "/absent/test.db";
  EXPECT_EQ(GetErrorInfo(TryOpen().status()).reason, "DATABASE_INACCESSIBLE");
}

TEST_F(DatabaseTest, IsReadableByItsOwnerOnly) {
  auto database = Open();
  ASSERT_TRUE(Insert(*database, 1, "one").ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat info;
    ASSERT_EQ(stat((path_ + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(DatabaseTest, StopsGrowingAtTheBound) {
  auto database = Open(200 * 1024);
  absl::Status status;
  int64_t id = 0;
  for (; status.ok() && id < 1000; ++id) {
    status = database->Transaction(
        [&] { return Insert(*database, id, std::to_string(id), std::string(2000, 'v')); });
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_FULL");
  EXPECT_LE(database->SizeBytes(), 200 * 1024);
  EXPECT_EQ(Count(*database), id - 1);
  // Deleting makes room again.
  ASSERT_TRUE(database->Execute("DELETE FROM t WHERE id < 20").ok());
  EXPECT_LT(database->SizeBytes(), 180 * 1024);
  EXPECT_TRUE(Insert(*database, 5000, "new", std::string(2000, 'v')).ok());
}

TEST_F(DatabaseTest, WorksInMemory) {
  auto database = Database::Open({.path = ":memory:"}, kMigrations);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_TRUE(Insert(**database, 1, "one").ok());
}

// Writes rows 1, 2, … each in a transaction and tells each number once it is committed.
[[noreturn]] void WriteUntilKilled(const std::string& path, int report_fd) {
  auto database = Database::Open({.path = path}, kMigrations);
  if (!database.ok() || (*database)->repair().has_value()) _exit(2);
  for (;;) {
    int64_t id = 0;
    const absl::Status status = (*database)->Transaction([&]() -> absl::Status {
      Statement insert = (*database)->Prepare(
          "INSERT INTO t (name, value) SELECT COUNT(*) + 1, zeroblob(3000) FROM t");
      absl::Status inserted = insert.Run();
      id = (*database)->LastInsertRowId();
      return inserted;
    });
    if (!status.ok() || write(report_fd, &id, sizeof id) != sizeof id) _exit(3);
  }
}

TEST_F(DatabaseTest, KeepsCommittedRowsWhenItsProcessIsKilled) {
  int64_t acknowledged = 0;
  for (int round = 0; round < 8; ++round) {
    int report[2];
    ASSERT_EQ(pipe(report), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) WriteUntilKilled(path_, report[1]);
    close(report[1]);
    int64_t id = 0;
    const int64_t until = acknowledged + 20 + 13 * round;
    while (acknowledged < until && read(report[0], &id, sizeof id) == sizeof id) acknowledged = id;
    kill(child, SIGKILL);
    while (read(report[0], &id, sizeof id) == sizeof id) acknowledged = id;
    close(report[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    ASSERT_GE(acknowledged, until);
    auto database = Open();
    ASSERT_FALSE(database->repair().has_value());
    ASSERT_GE(Count(*database), acknowledged);
    ASSERT_LE(Count(*database), acknowledged + 1);
  }
}

TEST_F(DatabaseTest, TellsItsSizeAtOpenAndAfterEachTransaction) {
  std::vector<int64_t> told;
  DatabaseOptions options{.path = path_};
  options.environment.on_size = [&told](int64_t bytes) { told.push_back(bytes); };
  auto database = *Database::Open(options, kMigrations);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0], database->SizeBytes());
  const auto fill = [&] { return Insert(*database, 1, "a", std::string(100 << 10, 'v')); };
  ASSERT_TRUE(database->Transaction(fill).ok());
  ASSERT_EQ(told.size(), 2u);
  EXPECT_GE(told[1], told[0] + (100 << 10));
  EXPECT_FALSE(database->Transaction([] { return absl::AbortedError("no"); }).ok());
  EXPECT_EQ(told.size(), 2u) << "nothing has changed";
  ASSERT_TRUE(database->Transaction([&] { return database->Execute("DELETE FROM t"); }).ok());
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2], told[0]) << "what is free in the file is left out";
}

}  // namespace
}  // namespace skerry::sqlite
