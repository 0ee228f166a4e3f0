#include "services/lib/watch/watch_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/watch/resume_token.h"
#include "services/lib/watch/watcher_hub.h"

namespace skerry::watch {
namespace {

// Objects and the whole log in memory; `trimmed` makes older positions expire.
class FakeSource : public Source {
 public:
  Change Put(const std::string& type, const std::string& key, const std::string& object) {
    Change change{type, key, "v", ++revision_, false, object};
    objects_[{type, key}] = change;
    log_.push_back(change);
    return change;
  }
  Change Remove(const std::string& type, const std::string& key) {
    Change change = objects_.at({type, key});
    objects_.erase({type, key});
    change.deleted = true;
    change.revision = ++revision_;
    log_.push_back(change);
    return change;
  }
  int64_t Revision() override { return revision_; }
  absl::StatusOr<std::vector<Change>> ReadObjects(const std::set<std::string>& types,
                                                  const Position& after,
                                                  size_t bytes_max) override {
    std::vector<Change> page;
    size_t bytes = 0;
    for (auto it = objects_.upper_bound(after); it != objects_.end(); ++it) {
      if (types.count(it->first.first) == 0) continue;
      if (!page.empty() && bytes + it->second.bytes() > bytes_max) break;
      bytes += it->second.bytes();
      page.push_back(it->second);
    }
    return page;
  }
  absl::StatusOr<bool> Complete(const std::set<std::string>&) override { return complete; }
  absl::StatusOr<LogPage> ReadLog(const std::set<std::string>& types, int64_t revision,
                                  size_t bytes_max) override {
    if (revision < trimmed) return ResumeTokenExpired();
    LogPage page{.read_to = revision};
    size_t bytes = 0;
    for (const Change& change : log_) {
      if (change.revision <= revision) continue;
      if (!page.changes.empty() && bytes + change.bytes() > bytes_max) break;
      page.read_to = change.revision;
      if (types.count(change.type) == 0) continue;
      auto it = objects_.find({change.type, change.key});
      if (!change.deleted && (it == objects_.end() || it->second.revision != change.revision))
        continue;
      bytes += change.bytes();
      page.changes.push_back(change);
    }
    return page;
  }
  const std::map<Position, Change>& objects() const { return objects_; }

  int64_t trimmed = 0;
  bool complete = true;

 private:
  std::map<Position, Change> objects_;
  std::vector<Change> log_;
  int64_t revision_ = 0;
};

std::string Show(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) {
    if (!text.empty()) text += " ";
    if (event.kind == Event::Kind::kSynced) {
      text += "synced";
    } else {
      absl::StrAppend(&text, event.kind == Event::Kind::kDeleted ? "-" : "+", event.change->key,
                      "=", event.change->object);
    }
    text += event.resume_revision.has_value() ? absl::StrCat("@", *event.resume_revision) : "";
  }
  return text;
}

std::string Next(WatchSession& session, size_t bytes = 1 << 20) {
  auto events = session.Next(bytes);
  return events.ok() ? Show(*events) : GetErrorInfo(events.status()).reason;
}

ChangePtr Share(Change change) { return std::make_shared<const Change>(std::move(change)); }

TEST(WatchSessionTest, SendsSnapshotThenSyncedThenChanges) {
  FakeSource source;
  source.Put("pods", "a", "1");
  source.Put("secrets", "s", "1");
  source.Put("pods", "b", "1");
  WatchSession session({"pods"}, std::nullopt, source, 1000);
  EXPECT_EQ(Next(session), "+a=1 +b=1");
  EXPECT_EQ(Next(session), "synced@3");
  EXPECT_EQ(Next(session), "");
  session.OnChange(Share(source.Put("pods", "a", "2")));
  session.OnChange(Share(source.Put("secrets", "s", "2")));
  session.OnChange(Share(source.Remove("pods", "b")));
  EXPECT_EQ(Next(session), "+a=2@4 -b=1@6");
  EXPECT_EQ(session.BookmarkRevision(), 6);
}

TEST(WatchSessionTest, EmptyStoreIsSyncedAtOnce) {
  FakeSource source;
  WatchSession session({"pods"}, std::nullopt, source, 1000);
  EXPECT_FALSE(session.BookmarkRevision().has_value());
  EXPECT_EQ(Next(session), "synced@0");
}

TEST(WatchSessionTest, SnapshotOfWhatIsNotWholeDoesNotEnd) {
  FakeSource source;
  source.complete = false;
  source.Put("pods", "b", "1");
  WatchSession session({"pods"}, std::nullopt, source, 1000);
  EXPECT_EQ(Next(session), "+b=1");
  EXPECT_EQ(Next(session), "");
  session.OnChange(Share(source.Put("pods", "a", "1")));
  session.OnChange(Share(source.Put("pods", "c", "1")));
  EXPECT_EQ(Next(session), "+c=1");
  EXPECT_EQ(Next(session), "");
  source.complete = true;
  EXPECT_EQ(Next(session), "synced@1") << "a resume here must see the queued change of a";
  EXPECT_EQ(Next(session), "+a=1@2");
}

TEST(WatchSessionTest, ChangeOfAnObjectNotYetSentIsLeftToTheSnapshot) {
  FakeSource source;
  source.Put("pods", "a", "1");
  source.Put("pods", "b", "1");
  source.Put("pods", "c", "1");
  WatchSession session({"pods"}, std::nullopt, source, 1000);
  EXPECT_EQ(Next(session, 1), "+a=1");
  session.OnChange(Share(source.Put("pods", "b", "2")));
  session.OnChange(Share(source.Put("pods", "a", "2")));
  session.OnChange(Share(source.Remove("pods", "c")));
  EXPECT_EQ(Next(session, 1), "+b=2");
  EXPECT_EQ(Next(session, 1), "synced@3") << "a resume here must see the queued change of a";
  EXPECT_FALSE(session.BookmarkRevision().has_value());
  EXPECT_EQ(Next(session, 1), "+a=2@5");
}

TEST(WatchSessionTest, ResumesFromTheLogWithoutReplacedStates) {
  FakeSource source;
  source.Put("pods", "a", "1");
  source.Put("pods", "b", "1");
  source.Put("pods", "a", "2");
  source.Remove("pods", "b");
  WatchSession session({"pods"}, 0, source, 1000);
  EXPECT_EQ(Next(session), "+a=2@3 -b=1@4 synced@4");
}

TEST(WatchSessionTest, ChangesDuringCatchUpAreNotSentTwice) {
  FakeSource source;
  source.Put("pods", "a", "1");
  source.Put("pods", "b", "1");
  WatchSession session({"pods"}, 0, source, 1000);
  EXPECT_EQ(Next(session, 1), "+a=1@1");
  session.OnChange(Share(source.Put("pods", "c", "1")));
  EXPECT_EQ(Next(session, 1), "+b=1@2");
  EXPECT_EQ(Next(session, 1), "+c=1@3 synced@3");
  EXPECT_EQ(Next(session), "");
}

TEST(WatchSessionTest, ResumeAtTheNewestRevisionIsSyncedAtOnce) {
  FakeSource source;
  source.Put("pods", "a", "1");
  WatchSession session({"pods"}, 1, source, 1000);
  EXPECT_EQ(Next(session), "synced@1");
}

TEST(WatchSessionTest, TrimmedOrFuturePositionsExpire) {
  FakeSource source;
  source.Put("pods", "a", "1");
  source.Put("pods", "a", "2");
  source.trimmed = 1;
  WatchSession old({"pods"}, 0, source, 1000);
  EXPECT_EQ(Next(old), "RESUME_TOKEN_EXPIRED");
  WatchSession future({"pods"}, 9, source, 1000);
  EXPECT_EQ(Next(future), "RESUME_TOKEN_EXPIRED");
}

TEST(WatchSessionTest, SlowWatcherIsEndedAtItsByteBound) {
  FakeSource source;
  WatchSession session({"pods"}, std::nullopt, source, 400);
  EXPECT_EQ(Next(session), "synced@0");
  session.OnChange(Share(source.Put("pods", "a", std::string(200, 'x'))));
  EXPECT_GT(session.queued_bytes(), 200u);
  session.OnChange(Share(source.Put("pods", "a", std::string(200, 'y'))));
  EXPECT_EQ(session.queued_bytes(), 0u);
  EXPECT_EQ(Next(session), "SLOW_WATCHER");
}

// Whatever is committed while a watcher reads at whatever speed, it ends with the store's state,
// never sees a key go back, and may resume from any token it was given.
TEST(WatchSessionTest, ConvergesUnderRandomInterleavings) {
  for (uint32_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::mt19937 random(seed);
    FakeSource source;
    auto change_something = [&]() -> Change {
      std::string key(1, static_cast<char>('a' + random() % 6));
      bool present = source.objects().count({"pods", key}) > 0;
      if (present && random() % 3 == 0) return source.Remove("pods", key);
      return source.Put("pods", key, absl::StrCat(random() % 1000));
    };
    for (int i = 0; i < 5; ++i) change_something();
    std::map<std::string, Change> seen;
    std::optional<int64_t> token;
    auto session = std::make_unique<WatchSession>(std::set<std::string>{"pods"}, std::nullopt,
                                                  source, 1 << 20);
    auto pull = [&](size_t bytes) {
      auto events = session->Next(bytes);
      ASSERT_TRUE(events.ok()) << events.status();
      for (const Event& event : *events) {
        if (event.resume_revision.has_value()) token = event.resume_revision;
        if (event.kind == Event::Kind::kSynced) continue;
        if (event.kind == Event::Kind::kDeleted) {
          seen.erase(event.change->key);
          continue;
        }
        auto it = seen.find(event.change->key);
        if (it != seen.end()) {
          EXPECT_GE(event.change->revision, it->second.revision);
        }
        seen[event.change->key] = *event.change;
      }
    };
    for (int step = 0; step < 60; ++step) {
      switch (random() % 5) {
        case 0:
          if (token.has_value() && random() % 4 == 0) {
            session = std::make_unique<WatchSession>(std::set<std::string>{"pods"}, token, source,
                                                     1 << 20);
          }
          break;
        case 1:
        case 2:
          pull(1 + random() % 300);
          break;
        default:
          session->OnChange(Share(change_something()));
      }
    }
    for (int i = 0; i < 100; ++i) pull(1000);
    ASSERT_EQ(seen.size(), source.objects().size());
    for (const auto& [position, change] : source.objects()) {
      EXPECT_EQ(seen.at(position.second).object, change.object);
    }
  }
}

TEST(WatcherHubTest, WakesEveryWatcherAndLetsOneLeaveWhileWoken) {
  FakeSource source;
  WatchSession first({"pods"}, 0, source, 1000), second({"pods"}, 0, source, 1000);
  EXPECT_EQ(Next(first), "synced@0");
  EXPECT_EQ(Next(second), "synced@0");
  WatcherHub hub;
  int woken = 0;
  hub.Add(&first, [&] {
    ++woken;
    hub.Remove(&first);
  });
  hub.Add(&second, [&] { ++woken; });
  hub.Publish({source.Put("pods", "a", "1")});
  EXPECT_EQ(woken, 2);
  EXPECT_EQ(hub.size(), 1u);
  EXPECT_EQ(Next(first), "+a=1@1");
  EXPECT_EQ(Next(second), "+a=1@1");
  hub.Publish({});
  EXPECT_EQ(woken, 3) << "a commit without changes may have made a snapshot complete";
}

}  // namespace
}  // namespace skerry::watch
