// Real posts to a real HTTP server.
#include "services/router-svc/runner/deliverer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/http/server.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/router-svc/store/sqlite_message_tables.h"
#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Is away the first times that it is asked what waits.
class AwayStore final : public MessageStore {
 public:
  AwayStore(MessageStore& store, int times) : store_(store), times_(times) {}

  absl::StatusOr<Accepted> Accept(const EventSource& source, const std::vector<NewEvent>& events,
                                  absl::Time now) override {
    return store_.Accept(source, events, now);
  }
  absl::StatusOr<std::vector<Message>> Waiting(const std::string& rule, size_t max) override {
    if (times_-- > 0) return absl::UnavailableError("away");
    return store_.Waiting(rule, max);
  }
  std::vector<std::string> RulesWaiting() override { return store_.RulesWaiting(); }
  absl::Status Remove(const std::vector<int64_t>& ids) override { return store_.Remove(ids); }
  absl::StatusOr<int64_t> Bury(int64_t id, absl::string_view error, absl::Time now) override {
    return store_.Bury(id, error, now);
  }
  absl::StatusOr<std::vector<DeadLetter>> Letters(const std::string& rule, int64_t after,
                                                  size_t max) override {
    return store_.Letters(rule, after, max);
  }
  absl::StatusOr<std::string> Replay(int64_t id, absl::Time now) override {
    return store_.Replay(id, now);
  }
  absl::Status Drop(int64_t id) override { return store_.Drop(id); }
  MessageStats stats() override { return store_.stats(); }

 private:
  MessageStore& store_;
  std::atomic<int> times_;
};

class DelivererTest : public ::testing::Test {
 protected:
  DelivererTest() {
    target_ = *http::Server::Create({}, [this](const http::Request& request,
                                               const std::shared_ptr<http::Responder>& responder) {
      int status = 200;
      {
        absl::MutexLock lock(&mutex_);
        got_.push_back(
            absl::StrCat(request.path, " ", request.body, " ", request.Header("idempotency-key")));
        if (request.body == "bad") status = 400;
        if (down_ && request.path == "/a") status = 503;
      }
      responder->Send({.status = status});
    });
    for (const char* name : {"rest", "eventbus"}) {
      rules_.UpsertEndpoint(
          *KubeObject::Parse(absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name,
                                          R"("},"spec":{"ruleEndpointType":")", name, R"("}})")));
    }
    Rule("a");
    Rule("b");
  }
  ~DelivererTest() override {
    deliverer_.reset();
    target_->Shutdown(absl::Now());
  }

  void Rule(const std::string& name) {
    rules_.UpsertRule(*KubeObject::Parse(absl::StrCat(
        R"({"metadata":{"namespace":"ns","name":")", name,
        R"(","uid":"u"},"spec":{"source":"eventbus",)",
        R"("sourceResource":{"topic":"t","node_name":"edge-1"},"target":"rest","targetResource":{"resource":"http://)",
        target_->address(), "/", name, R"("}}})")));
  }
  void Start(DeliveryPolicy policy = {.backoff_min = absl::Milliseconds(1),
                                      .backoff_max = absl::Milliseconds(2)}) {
    deliverer_ =
        std::make_unique<Deliverer>(Deliverer::Options{.workers = 2, .policy = policy}, rules_,
                                    *store_, caller_, clock_, metrics_, log::Logger::Null());
    deliverer_->Start();
  }
  void Put(const std::string& rule, const std::string& payload) {
    const NewMessage message{.rule = rule,
                             .key = absl::StrCat("k-", payload),
                             .node = "edge-1",
                             .source = "ns/t",
                             .payload = payload};
    ASSERT_TRUE(store_
                    ->Accept({.node = "edge-1", .stream = "s", .store_id = "1"},
                             {{.sequence = ++sequence_, .messages = {message}}}, clock_.Now())
                    .ok());
    if (deliverer_ != nullptr) deliverer_->Wake(rule);
  }
  bool AwaitGot(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return got_.size() >= count; };
    return mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20));
  }
  // Lets everything that was begun end.
  void Finish() { deliverer_.reset(); }

  SystemClock clock_;
  metrics::Registry registry_{"router-svc"};
  RouterMetrics metrics_{registry_};
  RuleBook rules_{std::nullopt, metrics_};
  sqlite::testing::SimDisk disk_{1};
  std::unique_ptr<TableMessageStore> store_ =
      *TableMessageStore::Open(*SqliteMessageTables::Open("router.db", 0, {&disk_}), {});
  http::BeastCaller caller_{{}};
  absl::Mutex mutex_;
  std::vector<std::string> got_ ABSL_GUARDED_BY(mutex_);
  bool down_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<http::Server> target_;
  uint64_t sequence_ = 0;
  std::unique_ptr<Deliverer> deliverer_;
};

// Without the bound the last pause would be of a minute.
TEST_F(DelivererTest, GoesOnSoonWhenTheStoreIsBack) {
  Put("ns/a", "1");
  AwayStore away(*store_, 14);
  Deliverer deliverer({.workers = 1, .store_backoff_max = absl::Milliseconds(10)}, rules_, away,
                      caller_, clock_, metrics_, log::Logger::Null());
  deliverer.Start();
  EXPECT_TRUE(AwaitGot(1));
}

// [rt-3.2]
TEST_F(DelivererTest, PostsInOrder) {
  Put("ns/a", "1");
  Put("ns/a", "2");
  Start();
  Put("ns/a", "3");
  ASSERT_TRUE(AwaitGot(3));
  Finish();
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(got_, ElementsAre("/a 1 k-1", "/a 2 k-2", "/a 3 k-3"));
  EXPECT_EQ(metrics_.deliveries.at("arrived")->Value(), 3);
}

// [rt-3.3]
TEST_F(DelivererTest, TriesAgainAndHoldsUpNoOtherRule) {
  down_ = true;
  Start();
  Put("ns/a", "1");
  Put("ns/a", "2");
  ASSERT_TRUE(AwaitGot(3));
  Put("ns/b", "3");
  const auto other = [&] {
    for (const std::string& line : got_) {
      if (absl::StartsWith(line, "/b 3")) return true;
    }
    return false;
  };
  const auto second = [&] { return absl::StartsWith(got_.back(), "/a 2"); };
  absl::MutexLock lock(&mutex_);
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&other), absl::Seconds(20)));
  for (const std::string& line : got_) EXPECT_FALSE(absl::StartsWith(line, "/a 2"));
  down_ = false;
  EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&second), absl::Seconds(20)));
}

// [rt-3.4]
TEST_F(DelivererTest, WhatIsRefusedIsADeadLetter) {
  Put("ns/a", "bad");
  Put("ns/a", "2");
  Start();
  ASSERT_TRUE(AwaitGot(2));
  Finish();
  auto letters = *store_->Letters("", 0, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].payload, "bad");
  EXPECT_THAT(letters[0].error, HasSubstr("400"));
  const auto changes = rules_.TakeStatus();
  ASSERT_THAT(changes, SizeIs(1));
  EXPECT_EQ(changes[0].status.success_messages, 1);
  EXPECT_EQ(changes[0].status.fail_messages, 1);
}

TEST_F(DelivererTest, WhatIsTooOldIsADeadLetter) {
  down_ = true;
  Put("ns/a", "1");
  Start({.backoff_min = absl::Milliseconds(1),
         .backoff_max = absl::Milliseconds(2),
         .age_max = absl::ZeroDuration()});
  ASSERT_TRUE(AwaitGot(1));
  Finish();
  EXPECT_THAT(*store_->Letters("", 0, 10), SizeIs(1));
}

TEST_F(DelivererTest, MessagesOfARuleThatIsGoneAreDeadLetters) {
  rules_.DeleteRule("ns/a");
  Put("ns/a", "1");
  Put("ns/b", "2");
  Start();
  ASSERT_TRUE(AwaitGot(1));
  Put("ns/b", "3");
  ASSERT_TRUE(AwaitGot(2));
  Finish();
  const auto letters = *store_->Letters("", 0, 10);
  ASSERT_THAT(letters, SizeIs(1));
  EXPECT_EQ(letters[0].error, "the rule is gone");
}

// New messages of a rule don't shorten its pause.
TEST_F(DelivererTest, PausesWhateverComes) {
  down_ = true;
  Start({.backoff_min = absl::Hours(1), .backoff_max = absl::Hours(1)});
  Put("ns/a", "1");
  ASSERT_TRUE(AwaitGot(1));
  for (int i = 2; i < 10; ++i) Put("ns/a", absl::StrCat(i));
  Put("ns/b", "x");
  ASSERT_TRUE(AwaitGot(2));
  Finish();
  absl::MutexLock lock(&mutex_);
  EXPECT_THAT(got_, ElementsAre("/a 1 k-1", "/b x k-x"));
}

}  // namespace
}  // namespace skerry::router
