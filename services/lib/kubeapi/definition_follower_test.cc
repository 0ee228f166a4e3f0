#include "services/lib/kubeapi/definition_follower.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "services/lib/kubeapi/built_in.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/store/forwarding_store.h"
#include "services/lib/kubeapi/store/sqlite_object_store.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::kubeapi {
namespace {

constexpr absl::Duration kDeadline = absl::Seconds(20);
const ObjectKey kBuoys{.resource = kDefinitionsStorage, .name = "buoys.sea.io"};

std::string Definition(const std::string& version) {
  return absl::StrCat(R"({"metadata":{"name":"buoys.sea.io"},"spec":{"group":"sea.io",
      "scope":"Namespaced","names":{"plural":"buoys","kind":"Buoy"},"versions":[{"name":")",
                      version, R"(","served":true,"storage":true,
      "schema":{"openAPIV3Schema":{"type":"object"}}}]}})");
}

// A store whose lists can fail and whose watches a test can end.
class FlakyStore final : public ForwardingStore {
 public:
  explicit FlakyStore(ObjectStore& store) : ForwardingStore(store) {}

  void FailLists(bool fail) {
    absl::MutexLock lock(&mutex_);
    fail_lists_ = fail;
  }
  int lists() const {
    absl::MutexLock lock(&mutex_);
    return lists_;
  }
  // As when the log has moved on without it.
  void EndWatch() {
    WatchId watch = 0;
    std::shared_ptr<WatchSink> sink;
    {
      absl::MutexLock lock(&mutex_);
      watch = watch_;
      sink.swap(sink_);
    }
    CancelWatch(watch);
    sink->OnClosed(absl::OutOfRangeError("compacted"));
  }

  absl::StatusOr<ListPage> List(const ListQuery& query) override {
    {
      absl::MutexLock lock(&mutex_);
      ++lists_;
      if (fail_lists_) return absl::UnavailableError("away");
    }
    return ForwardingStore::List(query);
  }
  absl::StatusOr<WatchId> Watch(const WatchQuery& query, std::shared_ptr<WatchSink> sink) override {
    const absl::StatusOr<WatchId> id = ForwardingStore::Watch(query, sink);
    absl::MutexLock lock(&mutex_);
    watch_ = id.value_or(0);
    sink_ = std::move(sink);
    return id;
  }

 private:
  mutable absl::Mutex mutex_;
  bool fail_lists_ ABSL_GUARDED_BY(mutex_) = false;
  int lists_ ABSL_GUARDED_BY(mutex_) = 0;
  WatchId watch_ ABSL_GUARDED_BY(mutex_) = 0;
  std::shared_ptr<WatchSink> sink_ ABSL_GUARDED_BY(mutex_);
};

class DefinitionFollowerTest : public ::testing::Test {
 protected:
  DefinitionFollowerTest() {
    SqliteObjectStoreOptions options;
    options.path = dir_.path() + "/objects.db";
    store_ = OpenSqliteObjectStore(options, metrics_).value();
    flaky_ = std::make_unique<FlakyStore>(*store_);
    registry_ = MakeBuiltInRegistry().value();
    EXPECT_TRUE(store_->Create({.resource = "namespaces", .name = "sea"}, "{}").ok());
  }
  void Start() {
    follower_ =
        std::make_unique<DefinitionFollower>(*flaky_, *registry_, clock_, log::Logger::Null());
    ASSERT_TRUE(follower_->Start().ok());
  }
  // Of the buoys; empty: they are not served.
  std::string Served() const {
    const ResourcePtr found = registry_->FindStorage("buoys.sea.io");
    return found == nullptr ? "" : found->version;
  }
  // What is served in the end, which should be `version`.
  std::string WaitFor(const std::string& version) const {
    const absl::Time deadline = absl::Now() + kDeadline;
    while (Served() != version && absl::Now() < deadline) std::this_thread::yield();
    return Served();
  }

  testing::TempDir dir_;
  testing::FakeClock clock_;
  metrics::Registry metrics_{"definition-follower-test"};
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<FlakyStore> flaky_;
  std::unique_ptr<ResourceRegistry> registry_;
  std::unique_ptr<DefinitionFollower> follower_;
};

TEST_F(DefinitionFollowerTest, ServesWhatIsStoredAtTheStart) {
  ASSERT_TRUE(store_->Create(kBuoys, Definition("v1")).ok());
  ASSERT_TRUE(store_->Create({.resource = kDefinitionsStorage, .name = "broken.sea.io"}, "[").ok());
  Start();
  EXPECT_EQ(Served(), "v1");
}

TEST_F(DefinitionFollowerTest, FollowsWhatOthersWrite) {
  Start();
  ASSERT_TRUE(store_->Create(kBuoys, Definition("v1")).ok());
  EXPECT_EQ(WaitFor("v1"), "v1");
  ASSERT_TRUE(store_->Update(kBuoys, Definition("v2"), 0).ok());
  EXPECT_EQ(WaitFor("v2"), "v2");
  ASSERT_TRUE(store_->Delete(kBuoys, 0).ok());
  EXPECT_EQ(WaitFor(""), "");
  ASSERT_TRUE(store_->Create(kBuoys, Definition("v3")).ok());
  EXPECT_EQ(WaitFor("v3"), "v3");
}

TEST_F(DefinitionFollowerTest, LooksAnewWhenItsWatchEnds) {
  ASSERT_TRUE(store_->Create(kBuoys, Definition("v1")).ok());
  Start();
  flaky_->FailLists(true);
  flaky_->EndWatch();
  while (flaky_->lists() < 2) std::this_thread::yield();
  EXPECT_EQ(Served(), "v1");  // What is known stays.
  ASSERT_TRUE(store_->Delete(kBuoys, 0).ok());
  flaky_->FailLists(false);
  const absl::Time deadline = absl::Now() + kDeadline;
  while (Served() != "" && absl::Now() < deadline) clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Served(), "");
  ASSERT_TRUE(store_->Create(kBuoys, Definition("v2")).ok());
  EXPECT_EQ(WaitFor("v2"), "v2");
}

}  // namespace
}  // namespace skerry::kubeapi
