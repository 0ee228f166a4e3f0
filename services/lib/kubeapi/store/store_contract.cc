#include "services/lib/kubeapi/store/store_contract.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/kubeapi/store/recording_sink.h"

namespace skerry::kubeapi {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ObjectKey Pod(absl::string_view object_namespace, absl::string_view name) {
  return {.resource = "pods",
          .object_namespace = std::string(object_namespace),
          .name = std::string(name)};
}

std::vector<std::string> Names(const ListPage& page) {
  std::vector<std::string> names;
  for (const StoredObject& item : page.items) {
    names.push_back(absl::StrCat(item.key.object_namespace, "/", item.key.name, "=", item.json, "@",
                                 item.revision));
  }
  return names;
}

std::vector<std::string> Describe(const std::vector<Change>& changes) {
  std::vector<std::string> texts;
  for (const Change& change : changes) texts.push_back(Describe(change));
  return texts;
}

ListQuery After(ListQuery query, const ListPage& page) {
  query.revision = page.revision;
  query.after = {page.items.back().key.object_namespace, page.items.back().key.name};
  return query;
}

StoreRevision WaitForCompaction(ObjectStore& store, StoreRevision at_least) {
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  for (;;) {
    const absl::StatusOr<StoreRevision> compacted = store.CompactedRevision();
    if (compacted.ok() && (*compacted >= at_least || absl::Now() > deadline)) return *compacted;
    std::this_thread::yield();
  }
}

}  // namespace

void StoreContractTest::SetUp() {
  harness_ = GetParam()();
  ASSERT_NE(harness_, nullptr);
  Reopen();
}

void StoreContractTest::TearDown() {
  store_.reset();
  harness_.reset();
}

void StoreContractTest::Reopen(const LogLimits& limits) {
  store_.reset();
  absl::StatusOr<std::unique_ptr<ObjectStore>> store = harness_->Open(limits);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
}

TEST_P(StoreContractTest, BeginsEmptyAtRevisionZero) {
  EXPECT_EQ(*store_->CurrentRevision(), 0);
  EXPECT_EQ(*store_->CompactedRevision(), 0);
  EXPECT_TRUE(store_->Check().ok());
  const auto page = store_->List({.resource = "pods"});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_THAT(page->items, IsEmpty());
  EXPECT_FALSE(page->more);
}

TEST_P(StoreContractTest, EveryWriteTakesTheNextRevision) {
  EXPECT_EQ(*store_->Create(Pod("a", "x"), "1"), 1);
  EXPECT_EQ(*store_->Create({.resource = "nodes", .name = "n"}, "n"), 2);
  EXPECT_EQ(*store_->Update(Pod("a", "x"), "2", 1), 3);
  const auto found = store_->Get(Pod("a", "x"));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->json, "2");
  EXPECT_EQ(found->revision, 3);
  EXPECT_EQ(found->key, Pod("a", "x"));
  EXPECT_EQ(*store_->Delete(Pod("a", "x"), 3), 4);
  EXPECT_TRUE(absl::IsNotFound(store_->Get(Pod("a", "x")).status()));
  EXPECT_EQ(*store_->CurrentRevision(), 4);
}

TEST_P(StoreContractTest, RefusesWritesWhoseConditionFails) {
  ASSERT_EQ(*store_->Create(Pod("a", "x"), "1"), 1);
  EXPECT_TRUE(absl::IsAlreadyExists(store_->Create(Pod("a", "x"), "1").status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Update(Pod("a", "y"), "1", 0).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Delete(Pod("b", "x"), 0).status()));
  ASSERT_EQ(*store_->Update(Pod("a", "x"), "2", 0), 2);
  const absl::Status stale = store_->Update(Pod("a", "x"), "3", 1).status();
  EXPECT_TRUE(absl::IsAborted(stale));
  EXPECT_EQ(GetErrorInfo(stale).reason, "REVISION_CONFLICT");
  EXPECT_TRUE(absl::IsAborted(store_->Delete(Pod("a", "x"), 1).status()));
  // None of them took a revision.
  EXPECT_EQ(*store_->CurrentRevision(), 2);
  EXPECT_EQ(store_->Get(Pod("a", "x"))->json, "2");
}

TEST_P(StoreContractTest, KeepsEverythingWhenOpenedAgain) {
  ASSERT_TRUE(store_->Create(Pod("a", "x"), "{\"ä\":\"\\u0000\"}").ok());
  ASSERT_TRUE(store_->Create(Pod("a", "y"), std::string(2 << 20, 'j')).ok());
  ASSERT_TRUE(store_->Delete(Pod("a", "x"), 0).ok());
  ASSERT_TRUE(store_->Create(Pod("a", "x"), "{\"ä\":\"\\u0000\"}").ok());
  Reopen();
  EXPECT_EQ(*store_->CurrentRevision(), 4);
  EXPECT_EQ(store_->Get(Pod("a", "x"))->json, "{\"ä\":\"\\u0000\"}");
  EXPECT_EQ(store_->Get(Pod("a", "y"))->json.size(), 2u << 20);
  EXPECT_EQ(*store_->Create(Pod("a", "z"), "1"), 5);
}

TEST_P(StoreContractTest, ListsBytewiseByNamespaceAndName) {
  for (const auto& [ns, name] : std::vector<std::pair<std::string, std::string>>{{"b", "a"},
                                                                                 {"a", "b"},
                                                                                 {"a", "B"},
                                                                                 {"a", "a-1"},
                                                                                 {"a", "a.1"},
                                                                                 {"a", "a"},
                                                                                 {"a-b", "a"}}) {
    ASSERT_TRUE(store_->Create(Pod(ns, name), "j").ok());
  }
  ASSERT_TRUE(
      store_
          ->Create({.resource = "pods.metrics.k8s.io", .object_namespace = "a", .name = "a"},
                   "other")
          .ok());
  EXPECT_THAT(Names(*store_->List({.resource = "pods"})),
              ElementsAre("a/B=j@3", "a/a=j@6", "a/a-1=j@4", "a/a.1=j@5", "a/b=j@2", "a-b/a=j@7",
                          "b/a=j@1"));
  EXPECT_THAT(Names(*store_->List({.resource = "pods", .object_namespace = "a-b"})),
              ElementsAre("a-b/a=j@7"));
  EXPECT_THAT(Names(*store_->List({.resource = "secrets"})), IsEmpty());
}

TEST_P(StoreContractTest, PagesShowTheFirstPagesRevision) {
  for (const char* name : {"a", "b", "c", "d", "e", "f"})
    ASSERT_TRUE(store_->Create(Pod("n", name), "1").ok());
  const ListQuery query{.resource = "pods", .limit = 2};
  const ListPage first = *store_->List(query);
  EXPECT_THAT(Names(first), ElementsAre("n/a=1@1", "n/b=1@2"));
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.revision, 6);
  // All that can happen to what the client has not seen yet, some of it twice.
  ASSERT_TRUE(store_->Update(Pod("n", "c"), "2", 0).ok());
  ASSERT_TRUE(store_->Update(Pod("n", "c"), "3", 0).ok());
  ASSERT_TRUE(store_->Delete(Pod("n", "d"), 0, "last words").ok());
  ASSERT_TRUE(store_->Create(Pod("n", "d"), "4").ok());
  ASSERT_TRUE(store_->Delete(Pod("n", "e"), 0).ok());
  ASSERT_TRUE(store_->Create(Pod("n", "cc"), "5").ok());
  ASSERT_TRUE(store_->Delete(Pod("n", "cc"), 0).ok());
  const ListPage second = *store_->List(After(query, first));
  EXPECT_THAT(Names(second), ElementsAre("n/c=1@3", "n/d=1@4"));
  EXPECT_TRUE(second.more);
  EXPECT_EQ(second.revision, 6);
  const ListPage third = *store_->List(After(query, second));
  EXPECT_THAT(Names(third), ElementsAre("n/e=1@5", "n/f=1@6"));
  EXPECT_FALSE(third.more);
  EXPECT_THAT(Names(*store_->List({.resource = "pods"})),
              ElementsAre("n/a=1@1", "n/b=1@2", "n/c=3@8", "n/d=4@10", "n/f=1@6"));
  // Any revision that is still known can be asked for.
  EXPECT_THAT(Names(*store_->List({.resource = "pods", .revision = 3})),
              ElementsAre("n/a=1@1", "n/b=1@2", "n/c=1@3"));
  EXPECT_THAT(Names(*store_->List({.resource = "pods", .object_namespace = "n", .revision = 9})),
              ElementsAre("n/a=1@1", "n/b=1@2", "n/c=3@8", "n/e=1@5", "n/f=1@6"));
}

TEST_P(StoreContractTest, RefusesRevisionsThatItDoesNotHave) {
  Reopen({.changes_max = 3});
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(store_->Create(Pod("n", absl::StrCat("p", i)), "1").ok());
  EXPECT_GE(WaitForCompaction(*store_, 17), 17);
  const absl::Status old = store_->List({.resource = "pods", .revision = 5}).status();
  EXPECT_TRUE(absl::IsOutOfRange(old)) << old;
  EXPECT_EQ(GetErrorInfo(old).reason, "REVISION_COMPACTED");
  EXPECT_TRUE(absl::IsOutOfRange(
      store_->Watch({.resource = "pods", .after = 5}, std::make_shared<RecordingSink>()).status()));
  EXPECT_TRUE(store_->List({.resource = "pods", .revision = 18}).ok());
  const absl::Status future = store_->List({.resource = "pods", .revision = 21}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(future));
  EXPECT_EQ(GetErrorInfo(future).reason, "REVISION_IN_FUTURE");
  EXPECT_TRUE(absl::IsInvalidArgument(
      store_->Watch({.resource = "pods", .after = 21}, std::make_shared<RecordingSink>())
          .status()));
  EXPECT_EQ(store_->List({.resource = "pods"})->items.size(), 20u);
}

TEST_P(StoreContractTest, ForgetsOldChangesByAge) {
  ASSERT_TRUE(store_->Create(Pod("n", "a"), "1").ok());
  Reopen({.age_max = -absl::Seconds(5)});
  ASSERT_TRUE(store_->Create(Pod("n", "b"), "1").ok());
  EXPECT_GE(WaitForCompaction(*store_, 1), 1);
  EXPECT_EQ(store_->List({.resource = "pods"})->items.size(), 2u);
}

TEST_P(StoreContractTest, WatchesShowWhatComes) {
  ASSERT_TRUE(store_->Create(Pod("n", "before"), "0").ok());
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(store_->Watch({.resource = "pods", .object_namespace = "n"}, sink).ok());
  ASSERT_TRUE(store_->Create(Pod("n", "a"), "1").ok());
  ASSERT_TRUE(store_->Create(Pod("other", "a"), "1").ok());
  ASSERT_TRUE(
      store_->Create({.resource = "secrets", .object_namespace = "n", .name = "a"}, "1").ok());
  ASSERT_TRUE(store_->Update(Pod("n", "a"), "2", 0).ok());
  ASSERT_TRUE(store_->Delete(Pod("n", "a"), 0, "last").ok());
  ASSERT_TRUE(store_->Delete(Pod("n", "before"), 0).ok());
  EXPECT_THAT(Describe(sink->WaitForChanges(4)),
              ElementsAre("2 added n/a 1<@0", "5 modified n/a 2<1@2", "6 deleted n/a last<2@5",
                          "7 deleted n/before 0<0@1"));
}

TEST_P(StoreContractTest, WatchesBeginInThePast) {
  for (int i = 1; i <= 600; ++i) {
    ASSERT_TRUE(store_
                    ->Create(i % 2 == 0 ? Pod("n", absl::StrCat("p", i))
                                        : ObjectKey{.resource = "nodes", .name = absl::StrCat(i)},
                             "1")
                    .ok());
  }
  Reopen();  // Nothing is in memory now.
  auto all = std::make_shared<RecordingSink>();
  auto later = std::make_shared<RecordingSink>();
  ASSERT_TRUE(store_->Watch({.resource = "pods", .after = 1}, all).ok());
  ASSERT_TRUE(
      store_->Watch({.resource = "pods", .object_namespace = "n", .after = 598}, later).ok());
  ASSERT_TRUE(store_->Delete(Pod("n", "p2"), 0).ok());
  const std::vector<Change> changes = all->WaitForChanges(301);
  ASSERT_EQ(changes.size(), 301u);
  for (int i = 0; i < 300; ++i) EXPECT_EQ(changes[static_cast<size_t>(i)].revision, 2 * (i + 1));
  EXPECT_THAT(Describe(later->WaitForChanges(2)),
              ElementsAre("600 added n/p600 1<@0", "601 deleted n/p2 1<1@2"));
}

TEST_P(StoreContractTest, WatchesEnd) {
  auto lives = std::make_shared<RecordingSink>();
  auto refuses = std::make_shared<RecordingSink>();
  auto cancelled = std::make_shared<RecordingSink>();
  auto expires = std::make_shared<RecordingSink>();
  ASSERT_TRUE(store_->Watch({.resource = "pods"}, lives).ok());
  refuses->Refuse();
  ASSERT_TRUE(store_->Watch({.resource = "pods"}, refuses).ok());
  const auto id = store_->Watch({.resource = "pods"}, cancelled);
  ASSERT_TRUE(id.ok());
  ASSERT_TRUE(store_->Watch({.resource = "pods", .lifetime = absl::Milliseconds(1)}, expires).ok());
  store_->CancelWatch(*id);
  store_->CancelWatch(*id);
  store_->CancelWatch(4711);
  EXPECT_EQ(expires->WaitForClosed(), absl::OkStatus());
  ASSERT_TRUE(store_->Create(Pod("n", "a"), "1").ok());
  ASSERT_TRUE(store_->Create(Pod("n", "b"), "1").ok());
  EXPECT_EQ(lives->WaitForChanges(2).size(), 2u);
  EXPECT_EQ(refuses->WaitForChanges(1).size(), 1u);
  EXPECT_THAT(cancelled->WaitForChanges(0), IsEmpty());
  EXPECT_THAT(expires->WaitForChanges(0), IsEmpty());
  // Sinks of ended watches are let go.
  EXPECT_EQ(cancelled.use_count(), 1);
  store_.reset();
  const auto closed = lives->WaitForClosed();
  ASSERT_TRUE(closed.has_value());
  EXPECT_TRUE(absl::IsUnavailable(*closed));
  EXPECT_EQ(refuses->WaitForChanges(1).size(), 1u);
}

TEST_P(StoreContractTest, WatchesTellTheirProgress) {
  ASSERT_TRUE(store_->Create(Pod("n", "a"), "1").ok());
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(
      store_
          ->Watch({.resource = "pods", .after = 1, .progress_interval = absl::Milliseconds(5)},
                  sink)
          .ok());
  EXPECT_EQ(sink->WaitForProgress(1)[0], 1);
  // Writes to other resources move it on too.
  ASSERT_TRUE(store_->Create({.resource = "nodes", .name = "n"}, "1").ok());
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  size_t seen = 1;
  while (sink->WaitForProgress(seen).back() != 2 && absl::Now() < deadline) ++seen;
  EXPECT_EQ(sink->WaitForProgress(seen).back(), 2);
  EXPECT_THAT(sink->WaitForChanges(0), IsEmpty());
}

// Many threads add to one number: none is lost, and a watch sees each step in order.
TEST_P(StoreContractTest, ConditionalWritesOfManyThreadsLoseNothing) {
  constexpr int kThreads = 8;
  constexpr int kSteps = 25;
  ASSERT_TRUE(store_->Create(Pod("n", "counter"), "0").ok());
  auto sink = std::make_shared<RecordingSink>();
  ASSERT_TRUE(store_->Watch({.resource = "pods", .after = 1}, sink).ok());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int done = 0; done < kSteps;) {
        const auto counter = store_->Get(Pod("n", "counter"));
        int value = 0;
        if (!counter.ok() || !absl::SimpleAtoi(counter->json, &value)) {
          ADD_FAILURE() << "get: " << (counter.ok() ? counter->json : counter.status().ToString());
          return;
        }
        const auto written =
            store_->Update(Pod("n", "counter"), absl::StrCat(value + 1), counter->revision);
        if (written.ok()) ++done;
        if (!written.ok()) {
          EXPECT_TRUE(absl::IsAborted(written.status())) << written.status();
        }
        // Others' writes lie between.
        const auto created = store_->Create(
            Pod("n", absl::StrCat(t, "-", value, "-", absl::GetCurrentTimeNanos())), "x");
        EXPECT_TRUE(created.ok()) << created.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->Get(Pod("n", "counter"))->json, absl::StrCat(kThreads * kSteps));
  const StoreRevision newest = *store_->CurrentRevision();
  const std::vector<Change> changes = sink->WaitForChanges(static_cast<size_t>(newest - 1));
  ASSERT_EQ(changes.size(), static_cast<size_t>(newest - 1));
  int value = 0;
  for (size_t i = 0; i < changes.size(); ++i) {
    ASSERT_EQ(changes[i].revision, static_cast<StoreRevision>(i) + 2);
    if (changes[i].key.name != "counter") continue;
    EXPECT_EQ(changes[i].previous, absl::StrCat(value));
    EXPECT_EQ(changes[i].object, absl::StrCat(++value));
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoreContractTest);

}  // namespace skerry::kubeapi
