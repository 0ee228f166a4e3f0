#include "services/lib/kubeapi/store/sqlite_object_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/kubeapi/store/recording_sink.h"
#include "services/lib/kubeapi/store/store_contract.h"

namespace skerry::kubeapi {
namespace {

class TempFolder {
 public:
  TempFolder() {
    char pattern[] = "/tmp/skerry-store-XXXXXX";
    path_ = mkdtemp(pattern);
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  std::string File() const { return path_ + "/objects.db"; }

 private:
  std::string path_;
};

class SqliteHarness final : public StoreHarness {
 public:
  absl::StatusOr<std::unique_ptr<ObjectStore>> Open(const LogLimits& limits) override {
    return OpenSqliteObjectStore({.path = folder_.File(), .log = limits}, registry_);
  }

 private:
  TempFolder folder_;
  metrics::Registry registry_{"test"};
};

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContractTest, testing::Values(HarnessFactory([] {
                           return std::make_unique<SqliteHarness>();
                         })));

ObjectKey Pod(absl::string_view name) {
  return {.resource = "pods", .object_namespace = "n", .name = std::string(name)};
}

TEST(SqliteObjectStoreTest, RefusesADamagedFileAndLeavesIt) {
  TempFolder folder;
  std::ofstream(folder.File()) << std::string(20000, 'x');
  metrics::Registry registry("test");
  const auto store = OpenSqliteObjectStore({.path = folder.File()}, registry);
  EXPECT_TRUE(absl::IsDataLoss(store.status())) << store.status();
  EXPECT_EQ(std::filesystem::file_size(folder.File()), 20000u);
}

TEST(SqliteObjectStoreTest, RefusesWritesWhenFullAndTakesDeletions) {
  TempFolder folder;
  metrics::Registry registry("test");
  auto store = OpenSqliteObjectStore({.path = folder.File(), .size_bytes_max = 1 << 20}, registry);
  ASSERT_TRUE(store.ok());
  int created = 0;
  absl::Status status;
  while (created < 1000) {
    status = (*store)->Create(Pod(absl::StrCat(created)), std::string(10000, 'j')).status();
    if (!status.ok()) break;
    ++created;
  }
  EXPECT_EQ(GetErrorInfo(status).reason, "DATABASE_FULL") << status;
  EXPECT_GT(created, 60);
  for (int i = 0; i < created; ++i)
    ASSERT_TRUE((*store)->Delete(Pod(absl::StrCat(i)), 0).ok()) << i;
  EXPECT_TRUE((*store)->Create(Pod("new"), std::string(10000, 'j')).ok());
  EXPECT_EQ((*store)->List({.resource = "pods"})->items.size(), 1u);
}

TEST(SqliteObjectStoreTest, OneImpossibleWriteDoesNotFailItsGroup) {
  TempFolder folder;
  metrics::Registry registry("test");
  auto store = OpenSqliteObjectStore({.path = folder.File(), .size_bytes_max = 1 << 20}, registry);
  ASSERT_TRUE(store.ok());
  std::vector<std::thread> threads;
  std::vector<absl::Status> results(16);
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      results[i] =
          (*store)->Create(Pod(absl::StrCat(i)), std::string(i == 7 ? 2 << 20 : 100, 'j')).status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].code(),
              i == 7 ? absl::StatusCode::kResourceExhausted : absl::StatusCode::kOk)
        << i;
  }
}

// Writes from several threads and tells each acknowledged write: "<thread> <number> <revision>" as
// three integers.
[[noreturn]] void WriteUntilKilled(const std::string& file, int round, int report_fd) {
  metrics::Registry registry("test");
  auto store = OpenSqliteObjectStore({.path = file, .log = {.changes_max = 50}}, registry);
  if (!store.ok()) _exit(2);
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t number = 0;; ++number) {
        const auto revision =
            (*store)->Create(Pod(absl::StrCat(round, "-", t, "-", number)), std::string(500, 'j'));
        if (!revision.ok()) _exit(3);
        const int64_t report[3] = {t, number, *revision};
        if (write(report_fd, report, sizeof report) != sizeof report) _exit(4);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  _exit(5);
}

TEST(SqliteObjectStoreTest, AcknowledgedWritesSurviveSigkill) {
  TempFolder folder;
  StoreRevision newest_seen = 0;
  for (int round = 0; round < 6; ++round) {
    int pipe_fds[2];
    ASSERT_EQ(pipe(pipe_fds), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) WriteUntilKilled(folder.File(), round, pipe_fds[1]);
    close(pipe_fds[1]);
    std::vector<std::array<int64_t, 3>> acknowledged;
    std::array<int64_t, 3> report{};
    const size_t until = 60 + 37 * static_cast<size_t>(round);
    while (acknowledged.size() < until &&
           read(pipe_fds[0], report.data(), sizeof report) == sizeof report) {
      acknowledged.push_back(report);
    }
    kill(child, SIGKILL);
    while (read(pipe_fds[0], report.data(), sizeof report) == sizeof report)
      acknowledged.push_back(report);
    close(pipe_fds[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);

    metrics::Registry registry("test");
    auto store = OpenSqliteObjectStore({.path = folder.File()}, registry);
    ASSERT_TRUE(store.ok()) << store.status();
    for (const auto& [thread, number, revision] : acknowledged) {
      EXPECT_GT(revision, newest_seen) << "a revision was given twice";
      const auto found = (*store)->Get(Pod(absl::StrCat(round, "-", thread, "-", number)));
      ASSERT_TRUE(found.ok()) << found.status();
      EXPECT_EQ(found->revision, revision);
    }
    newest_seen = *(*store)->CurrentRevision();
    const ListPage all = *(*store)->List({.resource = "pods"});
    EXPECT_EQ(static_cast<StoreRevision>(all.items.size()), newest_seen);
  }
}

}  // namespace
}  // namespace skerry::kubeapi
