#include "services/lib/kubeapi/store/postgres_object_store.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/kubeapi/store/recording_sink.h"
#include "services/lib/kubeapi/store/store_contract.h"
#include "services/lib/postgres/testing/local_postgres.h"

namespace skerry::kubeapi {
namespace {

// One server for all tests of the process, a database for each.
skerry::testing::LocalPostgres* server = nullptr;

class ServerEnvironment final : public ::testing::Environment {
 public:
  void SetUp() override {
    auto started = skerry::testing::LocalPostgres::Start();
    ASSERT_TRUE(started.ok()) << started.status();
    server = started->release();
  }
  void TearDown() override { delete server; }
};

const ::testing::Environment* const kEnvironment =
    ::testing::AddGlobalTestEnvironment(new ServerEnvironment);

class PostgresHarness final : public StoreHarness {
 public:
  explicit PostgresHarness(std::string connection) : connection_(std::move(connection)) {}

  absl::StatusOr<std::unique_ptr<ObjectStore>> Open(const LogLimits& limits) override {
    return OpenPostgresObjectStore({.pool = {.connection = connection_}, .log = limits},
                                   log::Logger::Null(), registry_);
  }

 private:
  const std::string connection_;
  metrics::Registry registry_{"test"};
};

std::unique_ptr<PostgresHarness> MakeHarness() {
  if (server == nullptr) return nullptr;
  const auto connection = server->CreateDatabase();
  EXPECT_TRUE(connection.ok()) << connection.status();
  return connection.ok() ? std::make_unique<PostgresHarness>(*connection) : nullptr;
}

INSTANTIATE_TEST_SUITE_P(Postgres, StoreContractTest,
                         ::testing::Values(HarnessFactory([] { return MakeHarness(); })));

ObjectKey Pod(absl::string_view name) {
  return {.resource = "pods", .object_namespace = "n", .name = std::string(name)};
}

std::vector<StoreRevision> Revisions(const std::vector<Change>& changes) {
  std::vector<StoreRevision> revisions;
  for (const Change& change : changes) revisions.push_back(change.revision);
  return revisions;
}

class PostgresObjectStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    harness_ = MakeHarness();
    ASSERT_NE(harness_, nullptr);
  }
  std::unique_ptr<ObjectStore> Open(const LogLimits& limits = {}) {
    auto store = harness_->Open(limits);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::unique_ptr<PostgresHarness> harness_;
};

// Several API servers on one database: one order of revisions, and each one's watches see all
// writes.
TEST_F(PostgresObjectStoreTest, ServersShareOneOrderOfWrites) {
  constexpr int kServers = 3;
  constexpr int kWrites = 60;
  std::vector<std::unique_ptr<ObjectStore>> stores;
  std::vector<std::shared_ptr<RecordingSink>> sinks;
  for (int s = 0; s < kServers; ++s) {
    stores.push_back(Open());
    ASSERT_NE(stores.back(), nullptr);
    sinks.push_back(std::make_shared<RecordingSink>());
    ASSERT_TRUE(stores.back()->Watch({.resource = "pods"}, sinks.back()).ok());
  }
  std::vector<std::thread> threads;
  for (int t = 0; t < 2 * kServers; ++t) {
    threads.emplace_back([&, t] {
      ObjectStore& store = *stores[static_cast<size_t>(t % kServers)];
      for (int i = 0; i < kWrites; ++i)
        EXPECT_TRUE(store.Create(Pod(absl::StrCat(t, "-", i)), "j").ok());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<StoreRevision> expected;
  for (StoreRevision r = 1; r <= 2 * kServers * kWrites; ++r) expected.push_back(r);
  for (const auto& sink : sinks)
    EXPECT_EQ(Revisions(sink->WaitForChanges(expected.size())), expected);
}

TEST_F(PostgresObjectStoreTest, OneServersWriteIsTheOthersConflict) {
  auto one = Open();
  auto other = Open();
  ASSERT_EQ(*one->Create(Pod("a"), "1"), 1);
  ASSERT_EQ(*other->Update(Pod("a"), "2", 1), 2);
  EXPECT_TRUE(absl::IsAborted(one->Update(Pod("a"), "3", 1).status()));
  EXPECT_TRUE(absl::IsAlreadyExists(one->Create(Pod("a"), "3").status()));
  EXPECT_EQ(one->Get(Pod("a"))->json, "2");
}

TEST_F(PostgresObjectStoreTest, RefusesTextThatIsNoUtf8AndNothingElse) {
  auto store = Open();
  std::vector<std::thread> threads;
  std::vector<absl::Status> results(12);
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      results[i] = store->Create(Pod(absl::StrCat(i)), i == 5 ? "\xff\xfe" : "good").status();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].code(),
              i == 5 ? absl::StatusCode::kInvalidArgument : absl::StatusCode::kOk)
        << i << results[i];
  }
}

TEST_F(PostgresObjectStoreTest, OutlivesACrashOfTheServer) {
  auto store = Open();
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(store->Watch({.resource = "pods"}, sink).ok());
  ASSERT_TRUE(store->Create(Pod("before"), "1").ok());
  ASSERT_EQ(sink->WaitForChanges(1).size(), 1u);
  ASSERT_TRUE(server->CrashAndRestart().ok());
  // Writes come through as soon as connections are replaced, and the watch goes on without a gap.
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  absl::Status status;
  do {
    status = store->Create(Pod("after"), "1").status();
  } while (!status.ok() && absl::Now() < deadline);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(Revisions(sink->WaitForChanges(2)), (std::vector<StoreRevision>{1, 2}));
}

TEST_F(PostgresObjectStoreTest, SaysThatTheDatabaseIsAway) {
  metrics::Registry registry("test");
  const auto store = OpenPostgresObjectStore({.pool = {.connection = "host=/nowhere dbname=x"}},
                                             log::Logger::Null(), registry);
  EXPECT_TRUE(absl::IsUnavailable(store.status())) << store.status();
}

}  // namespace
}  // namespace skerry::kubeapi
