#include "services/lib/kubeapi/store/watch_hub.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeapi/store/recording_sink.h"
#include "services/lib/kubeapi/store/write_op.h"

namespace skerry::kubeapi {
namespace {

// A log in memory that can be compacted and can be away.
class FakeLog final : public ChangeLog {
 public:
  absl::StatusOr<Page> ReadChanges(const std::string& resource, const std::string& object_namespace,
                                   StoreRevision after, size_t limit) override {
    absl::MutexLock lock(&mutex_);
    ++reads_;
    if (failures_ > 0) {
      --failures_;
      return absl::UnavailableError("away");
    }
    if (after < compacted_) return RevisionCompacted(after, compacted_);
    Page page{.scanned_to = after};
    for (const Change& change : changes_) {
      if (change.revision <= after || page.changes.size() == limit) continue;
      page.scanned_to = change.revision;
      if (change.key.resource == resource) page.changes.push_back(change);
    }
    return page;
  }

  Change Append(absl::string_view resource = "pods") {
    absl::MutexLock lock(&mutex_);
    Change change{.revision = static_cast<StoreRevision>(changes_.size()) + 1, .object = "j"};
    change.key = {.resource = std::string(resource), .name = absl::StrCat(change.revision)};
    changes_.push_back(change);
    return change;
  }
  void Compact(StoreRevision revision) {
    absl::MutexLock lock(&mutex_);
    compacted_ = revision;
  }
  void FailNext(int reads) {
    absl::MutexLock lock(&mutex_);
    failures_ = reads;
  }
  int reads() {
    absl::MutexLock lock(&mutex_);
    return reads_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<Change> changes_;
  StoreRevision compacted_ = 0;
  int failures_ = 0;
  int reads_ = 0;
};

// Holds the hub's thread until released.
class BlockingSink final : public WatchSink {
 public:
  bool OnChange(const Change& change) override {
    absl::MutexLock lock(&mutex_);
    ++calls_;
    mutex_.Await(absl::Condition(&released_));
    return true;
  }
  bool OnProgress(StoreRevision) override { return true; }
  void OnClosed(const absl::Status&) override {}
  void AwaitCall() {
    absl::MutexLock lock(&mutex_);
    const auto called = [this] { return calls_ > 0; };
    mutex_.Await(absl::Condition(&called));
  }
  void Release() {
    absl::MutexLock lock(&mutex_);
    released_ = true;
  }
  int calls() {
    absl::MutexLock lock(&mutex_);
    return calls_;
  }

 private:
  absl::Mutex mutex_;
  bool released_ = false;
  int calls_ = 0;
};

std::vector<StoreRevision> Revisions(const std::vector<Change>& changes) {
  std::vector<StoreRevision> revisions;
  for (const Change& change : changes) revisions.push_back(change.revision);
  return revisions;
}

std::vector<StoreRevision> Sequence(StoreRevision from, StoreRevision to) {
  std::vector<StoreRevision> revisions;
  for (StoreRevision r = from; r <= to; ++r) revisions.push_back(r);
  return revisions;
}

TEST(WatchHubTest, DeliversFromMemoryWithoutReadingTheLog) {
  FakeLog log;
  WatchHub hub({}, 0, &log);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods"}, sink).ok());
  for (int i = 0; i < 1000; ++i) hub.Publish({log.Append()});
  EXPECT_EQ(Revisions(sink->WaitForChanges(1000)), Sequence(1, 1000));
  EXPECT_EQ(log.reads(), 0);
}

TEST(WatchHubTest, CatchesUpFromTheLogAndGoesOnFromMemory) {
  FakeLog log;
  for (int i = 0; i < 700; ++i) log.Append();
  WatchHub hub({.recent_changes_max = 10, .batch_max = 100}, 700, &log);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods", .after = 1}, sink).ok());
  for (int i = 0; i < 300; ++i) hub.Publish({log.Append()});
  EXPECT_EQ(Revisions(sink->WaitForChanges(999)), Sequence(2, 1000));
}

TEST(WatchHubTest, ASlowWatchReadsTheLogAndLosesNothing) {
  FakeLog log;
  WatchHub hub({.recent_changes_max = 4}, 0, &log);
  auto slow = std::make_shared<BlockingSink>();
  auto other = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods"}, slow).ok());
  ASSERT_TRUE(hub.Add({.resource = "pods"}, other).ok());
  hub.Publish({log.Append()});
  slow->AwaitCall();
  for (int i = 0; i < 50; ++i) hub.Publish({log.Append()});
  slow->Release();
  EXPECT_EQ(Revisions(other->WaitForChanges(51)), Sequence(1, 51));
  EXPECT_GT(log.reads(), 0);
}

TEST(WatchHubTest, AWatchThatTheLogLeftBehindIsClosed) {
  FakeLog log;
  WatchHub hub({.recent_changes_max = 4}, 0, &log);
  auto slow = std::make_shared<BlockingSink>();
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods"}, slow).ok());
  hub.Publish({log.Append()});
  slow->AwaitCall();
  ASSERT_TRUE(hub.Add({.resource = "pods", .after = 1}, sink).ok());
  for (int i = 0; i < 50; ++i) hub.Publish({log.Append()});
  log.Compact(40);
  slow->Release();
  const auto closed = sink->WaitForClosed();
  ASSERT_TRUE(closed.has_value());
  EXPECT_TRUE(absl::IsOutOfRange(*closed)) << *closed;
}

TEST(WatchHubTest, WaitsForALogThatIsAway) {
  FakeLog log;
  for (int i = 0; i < 5; ++i) log.Append();
  log.FailNext(1);
  WatchHub hub({}, 5, &log);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods", .after = 1}, sink).ok());
  EXPECT_EQ(Revisions(sink->WaitForChanges(4)), Sequence(2, 5));
}

TEST(WatchHubTest, ReadsWhatWasNotPublishedFromTheLog) {
  FakeLog log;
  WatchHub hub({}, 0, &log);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods"}, sink).ok());
  log.Append();
  log.Append();
  hub.Publish({log.Append()});
  EXPECT_EQ(Revisions(sink->WaitForChanges(3)), Sequence(1, 3));
}

TEST(WatchHubTest, IgnoresWhatWasPublishedBefore) {
  FakeLog log;
  WatchHub hub({}, 0, &log);
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods"}, sink).ok());
  const Change first = log.Append();
  hub.Publish({first});
  hub.Publish({first, log.Append()});
  EXPECT_EQ(Revisions(sink->WaitForChanges(2)), Sequence(1, 2));
}

TEST(WatchHubTest, ACancelledWatchHearsNothingMore) {
  FakeLog log;
  WatchHub hub({}, 0, &log);
  auto sink = std::make_shared<BlockingSink>();
  const auto id = hub.Add({.resource = "pods"}, sink);
  ASSERT_TRUE(id.ok());
  hub.Publish({log.Append(), log.Append(), log.Append()});
  sink->AwaitCall();
  hub.Cancel(*id);
  sink->Release();
  auto next = std::make_shared<RecordingSink>();
  ASSERT_TRUE(hub.Add({.resource = "pods", .after = 1}, next).ok());
  next->WaitForChanges(2);
  EXPECT_EQ(sink->calls(), 1);
  EXPECT_EQ(hub.watches(), 1u);
}

TEST(WatchHubTest, BoundsTheNumberOfWatches) {
  FakeLog log;
  WatchHub hub({.watches_max = 1}, 0, &log);
  ASSERT_TRUE(hub.Add({.resource = "pods"}, std::make_shared<RecordingSink>()).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(
      hub.Add({.resource = "pods"}, std::make_shared<RecordingSink>()).status()));
}

}  // namespace
}  // namespace skerry::kubeapi
