#include "services/lib/sqlite/failure_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "services/lib/sqlite/database.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::sqlite {
namespace {

using ::testing::HasSubstr;

TEST(FailureMetricsTest, CountsWhatTheDiskDoesAndNothingElse) {
  skerry::testing::TempDir folder;
  metrics::Registry registry("test-svc");
  DatabaseOptions options{.path = folder.File("a.db"), .size_bytes_max = 1 << 20};
  options.environment.on_failure = CountFailures(registry);
  auto database = *Database::Open(options, {"CREATE TABLE t (k TEXT PRIMARY KEY, v BLOB)"});
  const auto insert = [&](const std::string& key, size_t bytes) {
    return database->Transaction([&] {
      Statement statement = database->Prepare("INSERT INTO t VALUES (?1, ?2)");
      statement.Bind(1, key).BindBlob(2, std::string(bytes, 'x'));
      return statement.Run();
    });
  };
  ASSERT_TRUE(insert("a", 10).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(insert("a", 10)));
  EXPECT_TRUE(absl::IsAborted(database->Transaction([] { return absl::AbortedError("ours"); })));
  EXPECT_THAT(registry.Render(), HasSubstr("skerry_sqlite_failures_total{reason=\"full\"} 0\n"));
  EXPECT_TRUE(absl::IsResourceExhausted(insert("b", 2 << 20)));
  EXPECT_THAT(registry.Render(), HasSubstr("skerry_sqlite_failures_total{reason=\"full\"} 1\n"));
  EXPECT_TRUE(absl::IsDataLoss(database->Damaged("a row")));
  EXPECT_THAT(registry.Render(), HasSubstr("skerry_sqlite_failures_total{reason=\"damaged\"} 1\n"));
  EXPECT_THAT(registry.Render(), HasSubstr("skerry_sqlite_failures_total{reason=\"other\"} 0\n"));
}

TEST(FailureMetricsTest, CountsACommitForWhichThereIsNoRoom) {
  skerry::testing::TempDir folder;
  metrics::Registry registry("test-svc");
  DatabaseOptions options{
      .path = folder.File("a.db"), .size_bytes_max = 2 << 20, .keep_room = true};
  options.environment.on_failure = CountFailures(registry);
  auto database = *Database::Open(options, {"CREATE TABLE t (v BLOB)"});
  absl::Status status;
  for (int i = 0; i < 64 && status.ok(); ++i) {
    status = database->Transaction([&] {
      Statement statement = database->Prepare("INSERT INTO t VALUES (?1)");
      statement.BindBlob(1, std::string(100 << 10, 'x'));
      return statement.Run();
    });
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status));
  EXPECT_THAT(registry.Render(), HasSubstr("skerry_sqlite_failures_total{reason=\"full\"} 1\n"));
}

}  // namespace
}  // namespace skerry::sqlite
