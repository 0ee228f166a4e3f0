#include "services/lib/kubeclient/informer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeclient/api_errors.h"
#include "services/lib/kubeclient/testing/fake_client.h"

namespace skerry::kubeclient {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kLimit = absl::Seconds(20);

std::string ConfigMap(const std::string& name, int value) {
  return absl::StrCat(
      R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"ns","name":")", name,
      R"("},"data":{"v":")", value, R"("}})");
}

class InformerTest : public ::testing::Test {
 protected:
  void Start(int64_t page_size = 500) {
    informer_ = std::make_unique<Informer>(
        api_,
        Informer::Options{.resource = ConfigMaps(),
                          .page_size = page_size,
                          .backoff_min = absl::Milliseconds(1),
                          .backoff_max = absl::Milliseconds(5)},
        Informer::Handlers{
            .on_upsert =
                [this](const KubeObject& o) { Say(absl::StrCat("+", o.key(), " ", o.uid())); },
            .on_delete =
                [this](const KubeObject& o) { Say(absl::StrCat("-", o.key(), " ", o.uid())); },
            .on_synced = [this] { Say("synced"); }},
        metrics_, log::Logger::Null());
    informer_->Start();
  }
  void Say(std::string what) {
    absl::MutexLock lock(&mutex_);
    said_.push_back(std::move(what));
  }
  bool AwaitSaid(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto enough = [&] { return said_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&enough), kLimit);
  }
  std::vector<std::string> Said() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(said_, {});
  }

  metrics::Registry registry_{"test-svc"};
  InformerMetrics metrics_{registry_, "configmaps"};
  FakeClient api_;
  absl::Mutex mutex_;
  std::vector<std::string> said_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Informer> informer_;
};

TEST_F(InformerTest, TellsTheListBeforeSynced) {
  api_.Put(ConfigMaps(), ConfigMap("a", 1));
  api_.Put(ConfigMaps(), ConfigMap("b", 1));
  Start();
  ASSERT_TRUE(informer_->WaitForSync(absl::Now() + kLimit));
  ASSERT_TRUE(AwaitSaid(3));
  EXPECT_THAT(Said(), ElementsAre("+ns/a uid-1", "+ns/b uid-2", "synced"));
  EXPECT_EQ(informer_->size(), 2u);
  EXPECT_EQ(informer_->Get("ns/a")->uid(), "uid-1");
  EXPECT_FALSE(informer_->Get("ns/none").has_value());
}

TEST_F(InformerTest, ReadsAllPages) {
  for (int i = 0; i < 25; ++i) api_.Put(ConfigMaps(), ConfigMap(absl::StrCat("c", i), 1));
  Start(/*page_size=*/10);
  ASSERT_TRUE(informer_->WaitForSync(absl::Now() + kLimit));
  EXPECT_EQ(informer_->size(), 25u);
  EXPECT_EQ(api_.calls("LIST"), 3);
}

TEST_F(InformerTest, FollowsChanges) {
  Start();
  ASSERT_TRUE(AwaitSaid(1));
  api_.Put(ConfigMaps(), ConfigMap("a", 1));
  api_.Put(ConfigMaps(), ConfigMap("a", 2));
  api_.Remove(ConfigMaps(), "ns", "a");
  ASSERT_TRUE(AwaitSaid(4));
  EXPECT_THAT(Said(), ElementsAre("synced", "+ns/a uid-1", "+ns/a uid-1", "-ns/a uid-1"));
  EXPECT_EQ(informer_->size(), 0u);
}

TEST_F(InformerTest, ResumesABrokenWatchWithoutListing) {
  Start();
  ASSERT_TRUE(AwaitSaid(1));
  api_.Put(ConfigMaps(), ConfigMap("a", 1));
  ASSERT_TRUE(AwaitSaid(2));
  api_.BreakWatches(absl::UnavailableError("connection lost"));
  api_.Put(ConfigMaps(), ConfigMap("b", 1));
  ASSERT_TRUE(AwaitSaid(3));
  EXPECT_THAT(Said(), ElementsAre("synced", "+ns/a uid-1", "+ns/b uid-2"));
  EXPECT_EQ(api_.calls("LIST"), 1);
}

TEST_F(InformerTest, ListsAnewWhenTheHistoryIsGoneAndTellsTheDifference) {
  api_.Put(ConfigMaps(), ConfigMap("stays", 1));
  api_.Put(ConfigMaps(), ConfigMap("goes", 1));
  api_.Put(ConfigMaps(), ConfigMap("changes", 1));
  Start();
  ASSERT_TRUE(AwaitSaid(4));
  Said();
  // While no watch runs.
  api_.SetHook([](absl::string_view verb, const Resource&, absl::string_view) {
    return verb == "WATCH" ? absl::UnavailableError("down") : absl::OkStatus();
  });
  api_.BreakWatches(absl::UnavailableError("down"));
  api_.Remove(ConfigMaps(), "ns", "goes");
  api_.Put(ConfigMaps(), ConfigMap("changes", 2));
  api_.Put(ConfigMaps(), ConfigMap("new", 1));
  api_.Compact();
  api_.SetHook(nullptr);
  ASSERT_TRUE(AwaitSaid(3));
  EXPECT_THAT(Said(), UnorderedElementsAre("-ns/goes uid-2", "+ns/changes uid-3", "+ns/new uid-4"));
  EXPECT_GE(api_.calls("LIST"), 2);
}

// The store was restored from an older copy: the version is one of its future.
TEST_F(InformerTest, ListsAnewWhenTheServerRefusesTheVersion) {
  constexpr char kTooLarge[] =
      R"({"kind":"Status","code":504,"reason":"Timeout","message":"Too large resource version: 9, current: 5"})";
  const absl::Status refusals[] = {StatusFromAnswer(504, kTooLarge, std::nullopt),
                                   StatusFromWatchError(kTooLarge),
                                   StatusFromAnswer(400, "", std::nullopt)};
  Start();
  ASSERT_TRUE(AwaitSaid(1));
  Said();
  for (const absl::Status& refusal : refusals) {
    api_.Put(ConfigMaps(), ConfigMap("ghost", 1));
    ASSERT_TRUE(AwaitSaid(1));
    Said();
    const int64_t lists = api_.calls("LIST");
    api_.SetHook([&, lists](absl::string_view verb, const Resource&, absl::string_view) {
      return verb == "WATCH" && api_.calls("LIST") == lists ? refusal : absl::OkStatus();
    });
    api_.BreakWatches(absl::UnavailableError("restarting"));
    api_.Remove(ConfigMaps(), "ns", "ghost");
    ASSERT_TRUE(AwaitSaid(1)) << refusal;
    EXPECT_EQ(informer_->size(), 0u) << refusal;
    EXPECT_EQ(api_.calls("LIST"), lists + 1) << refusal;
    Said();
  }
  informer_->Stop();
}

TEST_F(InformerTest, ResumesWhileTheServerIsOverloaded) {
  Start();
  ASSERT_TRUE(AwaitSaid(1));
  std::atomic<int> watches = 0;
  api_.SetHook([&](absl::string_view verb, const Resource&, absl::string_view) {
    if (verb != "WATCH" || ++watches > 2) return absl::OkStatus();
    return StatusFromAnswer(watches == 1 ? 429 : 503, "", std::nullopt);
  });
  api_.BreakWatches(absl::UnavailableError("restarting"));
  api_.Put(ConfigMaps(), ConfigMap("a", 1));
  ASSERT_TRUE(AwaitSaid(2));
  EXPECT_EQ(api_.calls("LIST"), 1);
  informer_->Stop();
}

TEST_F(InformerTest, ReplacedObjectIsDeletedFirst) {
  api_.Put(ConfigMaps(), ConfigMap("a", 1));
  Start();
  ASSERT_TRUE(AwaitSaid(2));
  Said();
  api_.SetHook([](absl::string_view verb, const Resource&, absl::string_view) {
    return verb == "WATCH" ? absl::UnavailableError("down") : absl::OkStatus();
  });
  api_.BreakWatches(absl::UnavailableError("down"));
  api_.Remove(ConfigMaps(), "ns", "a");
  api_.Put(ConfigMaps(), ConfigMap("a", 2));
  api_.Compact();
  api_.SetHook(nullptr);
  ASSERT_TRUE(AwaitSaid(2));
  EXPECT_THAT(Said(), ElementsAre("-ns/a uid-1", "+ns/a uid-2"));
}

TEST_F(InformerTest, IsNotSyncedWhileListsFail) {
  absl::Mutex mutex;
  int failures = 0;
  bool up = false;
  api_.SetHook([&](absl::string_view verb, const Resource&, absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    if (up || verb != "LIST") return absl::OkStatus();
    ++failures;
    return absl::UnavailableError("down");
  });
  api_.Put(ConfigMaps(), ConfigMap("a", 1));
  Start();
  {
    absl::MutexLock lock(&mutex);
    const auto failed = [&] { return failures >= 3; };
    ASSERT_TRUE(mutex.AwaitWithTimeout(absl::Condition(&failed), kLimit));
    EXPECT_FALSE(informer_->synced());
    up = true;
  }
  EXPECT_TRUE(informer_->WaitForSync(absl::Now() + kLimit));
  EXPECT_EQ(informer_->size(), 1u);
}

// A list that is cut half way must not look like a state in which the rest is deleted.
TEST_F(InformerTest, HalfAListChangesNothing) {
  for (int i = 0; i < 20; ++i) api_.Put(ConfigMaps(), ConfigMap(absl::StrCat("c", 10 + i), 1));
  Start(/*page_size=*/10);
  ASSERT_TRUE(AwaitSaid(21));
  Said();
  absl::Mutex mutex;
  int lists = 0;
  api_.SetHook([&](absl::string_view verb, const Resource&, absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    if (verb != "LIST") return absl::OkStatus();
    return ++lists == 2 ? absl::UnavailableError("cut") : absl::OkStatus();
  });
  api_.Compact();
  api_.BreakWatches(absl::OutOfRangeError("too old"));
  api_.Put(ConfigMaps(), ConfigMap("d", 1));
  ASSERT_TRUE(AwaitSaid(1));
  EXPECT_THAT(Said(), ElementsAre("+ns/d uid-21"));
  EXPECT_EQ(informer_->size(), 21u);
}

TEST_F(InformerTest, StopsWhileTheServerIsAway) {
  api_.SetHook([](absl::string_view, const Resource&, absl::string_view) {
    return absl::UnavailableError("down");
  });
  Start();
  informer_->Stop();
  EXPECT_FALSE(informer_->synced());
}

}  // namespace
}  // namespace skerry::kubeclient
