#include "services/edgehub-svc/store/sqlite_journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'750'000'000);

link::Report Make(const std::string& key, int64_t time, const std::string& value = "v",
                  const std::string& type = "pods") {
  link::Report report;
  report.type = type;
  report.key = key;
  report.generation = 3;
  report.time = {time, 1};
  report.value = value;
  return report;
}

class SqliteJournalTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteJournal> Open(const JournalBounds& bounds = {},
                                      const std::string& new_id = "journal-1") {
    absl::StatusOr<std::unique_ptr<SqliteJournal>> journal =
        SqliteJournal::Open(folder_.File("edgehub.db"), bounds, new_id, clock_);
    EXPECT_TRUE(journal.ok()) << journal.status();
    return *std::move(journal);
  }

  // The outcome of one report.
  static absl::StatusOr<uint64_t> Put(JournalStore& journal, const link::Report& report) {
    absl::StatusOr<std::vector<absl::StatusOr<uint64_t>>> outcomes = journal.Put({report});
    if (!outcomes.ok()) return outcomes.status();
    return (*outcomes)[0];
  }

  static std::vector<std::string> Keys(JournalStore& journal, uint64_t after = 0,
                                       size_t count_max = 100) {
    absl::StatusOr<JournalStore::Batch> batch = journal.Read("pods", after, count_max, 1 << 20);
    EXPECT_TRUE(batch.ok()) << batch.status();
    std::vector<std::string> keys;
    for (const link::Report& report : batch->reports) keys.push_back(report.key);
    return keys;
  }

  skerry::testing::TempDir folder_;
  skerry::testing::FakeClock clock_{kNow};
};

TEST_F(SqliteJournalTest, GivesBackWhatWasPutInOrder) {
  std::unique_ptr<SqliteJournal> journal = Open();
  absl::StatusOr<std::vector<absl::StatusOr<uint64_t>>> outcomes =
      journal->Put({Make("default/a", 1, std::string("\0x", 2)), Make("default/b", 1),
                    Make("edge-1", 1, "n", "nodes")});
  ASSERT_TRUE(outcomes.ok()) << outcomes.status();
  ASSERT_EQ(outcomes->size(), 3u);
  EXPECT_LT(*(*outcomes)[0], *(*outcomes)[1]);

  absl::StatusOr<JournalStore::Batch> batch = journal->Read("pods", 0, 100, 1 << 20);
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->reports.size(), 2u);
  EXPECT_FALSE(batch->more);
  const link::Report& report = batch->reports[0];
  EXPECT_EQ(report.key, "default/a");
  EXPECT_EQ(report.value, std::string("\0x", 2));
  EXPECT_EQ(report.generation, 3);
  EXPECT_EQ(report.time, (link::HybridTime{1, 1}));
  EXPECT_EQ(report.sequence, *(*outcomes)[0]);
}

// link-5.7
TEST_F(SqliteJournalTest, ANewerValueReplacesTheOlderWithANewSequence) {
  std::unique_ptr<SqliteJournal> journal = Open();
  const uint64_t first = *Put(*journal, Make("default/a", 1));
  ASSERT_TRUE(Put(*journal, Make("default/b", 1)).ok());
  const uint64_t second = *Put(*journal, Make("default/a", 2, "newer"));
  EXPECT_GT(second, first);
  EXPECT_EQ(Keys(*journal), (std::vector<std::string>{"default/b", "default/a"}));
  EXPECT_EQ(journal->stats().entries, 2);
}

// [edgehub-2.2] A clock that was set back, or a spoke whose store is new, makes nothing older.
TEST_F(SqliteJournalTest, WhatIsPutLaterIsNewerWhateverItsTime) {
  std::unique_ptr<SqliteJournal> journal = Open();
  const uint64_t first = *Put(*journal, Make("default/a", 5, "first"));
  absl::StatusOr<uint64_t> second = Put(*journal, Make("default/a", 4, "second"));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_GT(*second, first);
  absl::StatusOr<JournalStore::Batch> batch = journal->Read("pods", 0, 100, 1 << 20);
  ASSERT_TRUE(batch.ok()) << batch.status();
  ASSERT_EQ(batch->reports.size(), 1u);
  EXPECT_EQ(batch->reports[0].value, "second");
}

TEST_F(SqliteJournalTest, ReadsInPagesOfCountAndBytes) {
  std::unique_ptr<SqliteJournal> journal = Open();
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(Put(*journal, Make(absl::StrCat("default/", i), 1, std::string(1000, 'x'))).ok());
  absl::StatusOr<JournalStore::Batch> batch = journal->Read("pods", 0, 2, 1 << 20);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->reports.size(), 2u);
  EXPECT_TRUE(batch->more);
  // At least one, however large.
  batch = journal->Read("pods", batch->reports[1].sequence, 100, 1);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->reports.size(), 1u);
  EXPECT_TRUE(batch->more);
  EXPECT_EQ(Keys(*journal, batch->reports[0].sequence).size(), 2u);
}

TEST_F(SqliteJournalTest, TrimsOneTypeAndKeepsSequencesGoingUp) {
  std::unique_ptr<SqliteJournal> journal = Open();
  ASSERT_TRUE(Put(*journal, Make("edge-1", 1, "n", "nodes")).ok());
  const uint64_t last = *Put(*journal, Make("default/a", 1));
  ASSERT_TRUE(journal->Trim("pods", last).ok());
  EXPECT_TRUE(Keys(*journal).empty());
  EXPECT_EQ(journal->stats().entries, 1);
  EXPECT_EQ(journal->stats().acked_sequence, last);
  journal = Open({}, "journal-2");
  EXPECT_EQ(journal->id(), "journal-1");
  EXPECT_EQ(journal->stats().entries, 1);
  EXPECT_GT(*Put(*journal, Make("default/a", 1)), last);
}

TEST_F(SqliteJournalTest, AFullJournalKeepsWhatItHas) {
  std::unique_ptr<SqliteJournal> journal = Open({.size_bytes_max = 3000});
  ASSERT_TRUE(Put(*journal, Make("default/a", 1, std::string(1000, 'a'))).ok());
  ASSERT_TRUE(Put(*journal, Make("default/b", 1, std::string(1000, 'b'))).ok());
  absl::StatusOr<uint64_t> full = Put(*journal, Make("default/c", 1, std::string(1000, 'c')));
  EXPECT_EQ(full.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(GetErrorInfo(full.status()).reason, "JOURNAL_FULL");
  // The older value stands where the newer does not fit.
  EXPECT_FALSE(Put(*journal, Make("default/a", 2, std::string(2500, 'A'))).ok());
  EXPECT_EQ(Keys(*journal), (std::vector<std::string>{"default/a", "default/b"}));
  // Replacing takes only what is added.
  EXPECT_TRUE(Put(*journal, Make("default/a", 2, std::string(1000, 'A'))).ok());
}

// link-5.7
TEST_F(SqliteJournalTest, ATypeThatIsFullLeavesRoomForOthers) {
  const JournalBounds bounds = {.size_bytes_max = 5000, .type_bytes_max = 2500};
  std::unique_ptr<SqliteJournal> journal = Open(bounds);
  const std::string value(1000, 'x');
  ASSERT_TRUE(Put(*journal, Make("default/a", 1, value)).ok());
  ASSERT_TRUE(Put(*journal, Make("default/b", 1, value)).ok());
  for (int opened = 0; opened < 2; ++opened) {
    const absl::Status full = Put(*journal, Make("default/c", 1, value)).status();
    EXPECT_EQ(GetErrorInfo(full).reason, "JOURNAL_FULL");
    EXPECT_NE(full.message().find("journal of pods is full"), absl::string_view::npos) << full;
    EXPECT_TRUE(Put(*journal, Make("edge-1", opened, value, "nodes")).ok());
    journal = Open(bounds);
  }
  // What is acknowledged, or expires, makes room for its type.
  ASSERT_TRUE(journal->Trim("pods", journal->stats().last_sequence).ok());
  EXPECT_TRUE(Put(*journal, Make("default/c", 1, value)).ok());
  EXPECT_TRUE(Put(*journal, Make("default/d", 1, value)).ok());
  clock_.Advance(absl::Hours(24 * 31));
  EXPECT_EQ(*journal->DropExpired(), 3);
  EXPECT_TRUE(Put(*journal, Make("default/e", 1, std::string(2000, 'x'))).ok());
}

// [edgehub-2.3] The journal of a box whose bound was lowered, or that came in with an upgrade.
TEST_F(SqliteJournalTest, BeyondALoweredBoundNewerValuesStillReplaceOlderOnes) {
  std::unique_ptr<SqliteJournal> journal = Open({});
  const std::string value(1000, 'x');
  for (const char* key : {"default/a", "default/b", "default/c"})
    ASSERT_TRUE(Put(*journal, Make(key, 1, value)).ok());
  for (const JournalBounds& lowered :
       {JournalBounds{.type_bytes_max = 1500}, JournalBounds{.size_bytes_max = 1500}}) {
    journal = Open(lowered);
    EXPECT_TRUE(Put(*journal, Make("default/a", 2, value)).ok());
    EXPECT_TRUE(Put(*journal, Make("default/b", 2, std::string(900, 'x'))).ok());
    for (const auto& report : {Make("default/c", 2, value + "x"), Make("default/d", 1, "x")}) {
      EXPECT_EQ(GetErrorInfo(Put(*journal, report).status()).reason, "JOURNAL_FULL") << report.key;
    }
  }
}

TEST_F(SqliteJournalTest, ForgetsWhatIsTooOld) {
  std::unique_ptr<SqliteJournal> journal = Open({.age_max = absl::Hours(1)});
  ASSERT_TRUE(Put(*journal, Make("default/a", 1)).ok());
  clock_.Advance(absl::Minutes(30));
  ASSERT_TRUE(Put(*journal, Make("default/b", 1)).ok());
  clock_.Advance(absl::Minutes(29));
  EXPECT_EQ(*journal->DropExpired(), 0);
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(*journal->DropExpired(), 1);
  EXPECT_EQ(Keys(*journal), (std::vector<std::string>{"default/b"}));
  EXPECT_EQ(journal->stats().oldest_time, kNow + absl::Minutes(30));
}

// [edgehub-2.7]
TEST_F(SqliteJournalTest, AClockSetForwardExpiresNothing) {
  std::unique_ptr<SqliteJournal> journal = Open({.age_max = absl::Hours(1)});
  clock_.SetNow(absl::UnixEpoch());  // A box without a battery for its clock, at boot.
  ASSERT_TRUE(Put(*journal, Make("default/a", 1)).ok());
  clock_.SetNow(kNow);
  EXPECT_EQ(*journal->DropExpired(), 0);
  journal = Open({.age_max = absl::Hours(1)});
  EXPECT_EQ(*journal->DropExpired(), 0);
}

// [edgehub-2.7]
TEST_F(SqliteJournalTest, AClockSetBackKeepsNothingForEver) {
  std::unique_ptr<SqliteJournal> journal = Open({.age_max = absl::Hours(1)});
  clock_.SetNow(kNow + absl::Hours(24 * 365 * 9));
  ASSERT_TRUE(Put(*journal, Make("default/a", 1)).ok());
  clock_.SetNow(kNow);
  ASSERT_TRUE(Put(*journal, Make("default/b", 1)).ok());
  EXPECT_EQ(journal->stats().oldest_time, kNow) << "nothing is shown as stored in years to come";
  clock_.Advance(absl::Minutes(61));
  EXPECT_EQ(*journal->DropExpired(), 2);
  EXPECT_EQ(journal->stats().oldest_time, absl::InfiniteFuture());
}

// [edgehub-2.7] A box that was switched off for months still tells how its pods ended.
TEST_F(SqliteJournalTest, EntriesAgeOverRestartsByTheTimeThatItRuns) {
  const JournalBounds bounds = {.age_max = absl::Hours(1)};
  std::unique_ptr<SqliteJournal> journal = Open(bounds);
  ASSERT_TRUE(Put(*journal, Make("default/a", 1)).ok());
  clock_.Advance(absl::Minutes(40));
  EXPECT_EQ(*journal->DropExpired(), 0);
  journal = nullptr;
  clock_.Advance(absl::Hours(24 * 90));
  journal = Open(bounds);
  EXPECT_EQ(*journal->DropExpired(), 0);
  clock_.Advance(absl::Minutes(21));
  EXPECT_EQ(*journal->DropExpired(), 1);
}

// A crash before the next DropExpired: what was put last is still not younger than what was put
// before it.
TEST_F(SqliteJournalTest, AgesDoNotGoBackWithACrash) {
  const JournalBounds bounds = {.age_max = absl::Hours(1)};
  std::unique_ptr<SqliteJournal> journal = Open(bounds);
  clock_.Advance(absl::Minutes(50));
  ASSERT_TRUE(Put(*journal, Make("default/a", 1)).ok());
  journal = Open(bounds);
  ASSERT_TRUE(Put(*journal, Make("default/b", 1)).ok());
  clock_.Advance(absl::Minutes(61));
  EXPECT_EQ(*journal->DropExpired(), 2);
}

// A journal from when entries aged by the wall clock keeps them all; they begin to age anew.
TEST_F(SqliteJournalTest, TakesOverAnOlderSchema) {
  const JournalBounds bounds = {.age_max = absl::Hours(1)};
  { ASSERT_TRUE(Put(*Open(bounds), Make("default/a", 1)).ok()); }
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(folder_.File("edgehub.db").c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle,
                         "DROP INDEX report_by_age;"
                         "ALTER TABLE journal DROP COLUMN open_micros;"
                         "ALTER TABLE journal DROP COLUMN epoch;"
                         "ALTER TABLE report DROP COLUMN open_micros;"
                         "ALTER TABLE report ADD COLUMN stored_micros INTEGER NOT NULL DEFAULT 0;"
                         "CREATE INDEX report_by_age ON report (stored_micros);"
                         "ALTER TABLE journal DROP COLUMN checksum;"
                         "ALTER TABLE report DROP COLUMN checksum;"
                         "PRAGMA application_id = 0;"
                         "PRAGMA user_version = 1",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(handle);
  std::unique_ptr<SqliteJournal> journal = Open(bounds);
  EXPECT_EQ(*journal->DropExpired(), 0);
  EXPECT_EQ(Keys(*journal), (std::vector<std::string>{"default/a"}));
  clock_.Advance(absl::Minutes(61));
  EXPECT_EQ(*journal->DropExpired(), 1);
}

// What is kept beside the file never differs from it.
TEST_F(SqliteJournalTest, StatisticsAreThoseOfTheFile) {
  std::unique_ptr<SqliteJournal> journal = Open({.size_bytes_max = 5000});
  for (int i = 0; i < 60; ++i) {
    clock_.Advance(absl::Seconds(1));
    (void)journal->Put({Make(absl::StrCat("default/", i % 7), i, std::string(100 * (i % 9), 'x')),
                        Make(absl::StrCat("default/", i % 5), i / 2),
                        Make(absl::StrCat("n-", i % 3), i, std::string(10 * i, 'n'), "nodes")});
    if (i % 10 == 9) {
      ASSERT_TRUE(journal->Trim("pods", journal->stats().last_sequence - 3).ok());
    }
    ASSERT_TRUE(journal->DropExpired().ok());  // Writes how old all is by now.
    const JournalStats kept = journal->stats();
    const JournalStats read = Open()->stats();
    ASSERT_EQ(kept.entries, read.entries) << i;
    ASSERT_EQ(kept.size_bytes, read.size_bytes) << i;
    ASSERT_EQ(kept.type_bytes, read.type_bytes) << i;
    ASSERT_EQ(kept.oldest_time, read.oldest_time) << i;
    ASSERT_EQ(kept.last_sequence, read.last_sequence) << i;
    ASSERT_EQ(kept.acked_sequence, read.acked_sequence) << i;
  }
}

TEST_F(SqliteJournalTest, KnowsTheLastSequenceOfEachType) {
  std::unique_ptr<SqliteJournal> journal = Open();
  ASSERT_TRUE(Put(*journal, Make("default/a", 1)).ok());
  const uint64_t pods = *Put(*journal, Make("default/b", 1));
  const uint64_t nodes = *Put(*journal, Make("edge-1", 1, "n", "nodes"));
  EXPECT_EQ(*Open()->LastSequences(),
            (std::map<std::string, uint64_t>{{"pods", pods}, {"nodes", nodes}}));
}

// A5: a damaged file is set aside, and a journal of another id begins.
TEST_F(SqliteJournalTest, ADamagedFileIsSetAside) {
  { ASSERT_TRUE(Put(*Open(), Make("default/a", 1)).ok()); }
  std::ofstream(folder_.File("edgehub.db"), std::ios::binary | std::ios::trunc)
      << std::string(8192, 'z');
  std::unique_ptr<SqliteJournal> journal = Open({}, "journal-2");
  EXPECT_TRUE(journal->repair().has_value());
  EXPECT_EQ(journal->id(), "journal-2");
  EXPECT_TRUE(Put(*journal, Make("default/a", 1)).ok());
}

// A child stores values and tells of each one that is durable, until it is killed.
void StoreUntilKilled(const std::string& path, int out) {
  SystemClock clock;
  absl::StatusOr<std::unique_ptr<SqliteJournal>> journal =
      SqliteJournal::Open(path, {}, "id", clock);
  if (!journal.ok()) _exit(1);
  int64_t time = static_cast<int64_t>((*journal)->stats().last_sequence);
  while (true) {
    ++time;
    const std::string key = absl::StrCat("default/", time % 5);
    if (!(*journal)->Put({Make(key, time, absl::StrCat(time))}).ok()) _exit(2);
    if (write(out, &time, sizeof(time)) != sizeof(time)) _exit(3);
  }
}

// L1, A5: SIGKILL at any instant loses nothing that was answered.
TEST_F(SqliteJournalTest, SurvivesSigkill) {
  for (int round = 0; round < 8; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_ends[0]);
      StoreUntilKilled(folder_.File("edgehub.db"), pipe_ends[1]);
    }
    close(pipe_ends[1]);
    std::map<std::string, int64_t> answered;
    int64_t time = 0;
    for (int i = 0; i < 20 + 7 * round && read(pipe_ends[0], &time, sizeof(time)) == sizeof(time);
         ++i) {
      answered[absl::StrCat("default/", time % 5)] = time;
    }
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    close(pipe_ends[0]);

    std::unique_ptr<SqliteJournal> journal = Open();
    EXPECT_FALSE(journal->repair().has_value());
    std::map<std::string, int64_t> held;
    absl::StatusOr<JournalStore::Batch> batch = journal->Read("pods", 0, 100, 1 << 20);
    ASSERT_TRUE(batch.ok()) << batch.status();
    for (const link::Report& report : batch->reports) {
      held[report.key] = report.time.wall_micros;
      EXPECT_EQ(report.value, absl::StrCat(report.time.wall_micros));
    }
    for (const auto& [key, last] : answered) EXPECT_GE(held[key], last) << key;
  }
}

// edgehub-1.7
TEST_F(SqliteJournalTest, KeepsTheEpochOfTheLastSession) {
  EXPECT_EQ(Open()->stored_epoch(), 0u);
  ASSERT_TRUE(Open()->StoreEpoch(7).ok());
  std::unique_ptr<SqliteJournal> journal = Open();
  EXPECT_EQ(journal->stored_epoch(), 7u);
  ASSERT_TRUE(journal->StoreEpoch(5).ok());
  journal = nullptr;
  EXPECT_EQ(Open()->stored_epoch(), 5u);
}

}  // namespace
}  // namespace skerry::edgehub
