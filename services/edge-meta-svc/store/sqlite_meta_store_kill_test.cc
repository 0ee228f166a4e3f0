// Kills a writer at any instant: what it was told is stored must be there, and the file must open.
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/edge-meta-svc/store/sqlite_meta_store.h"

namespace skerry::edgemeta {
namespace {

constexpr int kRounds = 20;

// Commits batches for ever; after each, writes its number to `out`. Batch n sets two pods to
// version n and reports n, so that a torn batch shows.
[[noreturn]] void WriteUntilKilled(const SqliteMetaStoreOptions& options, int first, int out) {
  auto store = SqliteMetaStore::Open(options);
  if (!store.ok()) _exit(1);
  for (int n = first;; ++n) {
    Batch batch;
    for (const char* key : {"d/a", "d/b"}) {
      batch.mutations.push_back(
          {Mutation::Kind::kUpsert, "pods", key, absl::StrCat(n), std::string(3000, 'x')});
      batch.mutations.push_back(
          {Mutation::Kind::kUpsert, "secrets", key, absl::StrCat(n), std::string(3000, 'x')});
    }
    if (!(*store)->Apply(batch, absl::Now()).ok()) _exit(2);
    Report report{.type = "pods", .key = "d/a", .value = absl::StrCat(n)};
    if (!(*store)->PutReport(std::move(report), absl::Now()).ok()) _exit(3);
    if (write(out, &n, sizeof(n)) != sizeof(n)) _exit(4);
  }
}

std::string IntegrityCheck(const std::string& path) {
  sqlite3* handle = nullptr;
  std::string result = "can't open";
  if (sqlite3_open(path.c_str(), &handle) == SQLITE_OK) {
    sqlite3_exec(
        handle, "PRAGMA integrity_check",
        [](void* text, int, char** values, char**) {
          *static_cast<std::string*>(text) = values[0];
          return 0;
        },
        &result, nullptr);
  }
  sqlite3_close(handle);
  return result;
}

TEST(SqliteMetaStoreKillTest, AckedBatchesSurviveSigkillAndNoneIsTorn) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937 random(seed);
  char name[] = "/tmp/skerry-kill-XXXXXX";
  const std::string folder = mkdtemp(name);
  SqliteMetaStoreOptions options{.path = folder + "/edge-meta.db",
                                 .key_path = folder + "/edge-meta.key"};
  int acked = 0;
  HybridTime time;
  for (int round = 0; round < kRounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      close(pipe_ends[0]);
      WriteUntilKilled(options, acked + 1, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    // Killed after some acks, somewhere inside the next batch.
    const int kill_after = static_cast<int>(random() % 8);
    int n = 0;
    for (int i = 0; i <= kill_after && read(pipe_ends[0], &n, sizeof(n)) == sizeof(n); ++i)
      acked = n;
    usleep(random() % 3000);  // NOLINT(test-sleeps): a random instant is the point
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed with exit code " << WEXITSTATUS(status);
    while (read(pipe_ends[0], &n, sizeof(n)) == sizeof(n)) acked = n;
    close(pipe_ends[0]);

    ASSERT_EQ(IntegrityCheck(options.path), "ok");
    auto store = SqliteMetaStore::Open(options);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_FALSE((*store)->notes().repair.has_value());
    EXPECT_EQ((*store)->notes().dropped_objects, 0);
    auto a = (*store)->Get("pods", "d/a");
    auto b = (*store)->Get("secrets", "d/b");
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(a->version, b->version) << "torn";
    EXPECT_GE(std::stoi(a->version), acked);
    EXPECT_LE(std::stoi(a->version), acked + 1);
    auto reports = (*store)->Reports(0, 10, 1 << 20);
    ASSERT_EQ(reports->size(), 1u);
    EXPECT_GE(std::stoi((*reports)[0].value), acked);
    EXPECT_GE((*reports)[0].time, time);
    time = (*reports)[0].time;
    acked = std::stoi(a->version);
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace skerry::edgemeta
