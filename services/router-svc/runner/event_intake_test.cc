#include "services/router-svc/runner/event_intake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/router-svc/store/sqlite_message_tables.h"
#include "services/router-svc/store/table_message_store.h"

namespace skerry::router {
namespace {

using skerry::testing::HasReason;
using skerry::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string User(const std::string& topic, const std::string& payload) {
  eventbus::v1::UserMessage message;
  message.set_topic(topic);
  message.set_payload(payload);
  return message.SerializeAsString();
}

class EventIntakeTest : public ::testing::Test {
 protected:
  EventIntakeTest() {
    const auto endpoint = [](const char* name) {
      return *KubeObject::Parse(absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name,
                                             R"("},"spec":{"ruleEndpointType":")", name, R"("}})"));
    };
    for (const char* name : {"rest", "eventbus", "servicebus"})
      rules_.UpsertEndpoint(endpoint(name));
    Rule("a", "eventbus", R"({"topic":"t","node_name":"edge-1"})");
    Rule("b", "eventbus", R"({"topic":"+","node_name":"edge-1"})");
    Rule("c", "servicebus", R"({"target_url":"http://x/","node_name":"edge-1"})");
  }
  void Rule(const std::string& name, const std::string& source, const std::string& resource) {
    rules_.UpsertRule(*KubeObject::Parse(
        absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name, R"(","uid":"u-)", name,
                     R"("},"spec":{"source":")", source, R"(","sourceResource":)", resource,
                     R"(,"target":"rest","targetResource":{"resource":"http://shop/"}}})")));
  }
  std::unique_ptr<EventIntake> Make(const std::string& stream) {
    return std::make_unique<EventIntake>(
        stream, rules_, *store_,
        [this](const std::string&, uint64_t epoch) { return epoch == 1 ? store_id_ : ""; },
        [this](const std::string& rule) { woken_.push_back(rule); }, clock_, metrics_);
  }
  static cloudspoke::EventInbox::Batch Batch(uint64_t first,
                                             const std::vector<std::string>& values) {
    cloudspoke::EventInbox::Batch batch{.hub = "h", .epoch = 1};
    for (const std::string& value : values)
      batch.events.push_back({.sequence = first++, .value = value});
    return batch;
  }

  skerry::testing::FakeClock clock_;
  metrics::Registry registry_{"router-svc"};
  RouterMetrics metrics_{registry_};
  RuleBook rules_{std::nullopt, metrics_};
  sqlite::testing::SimDisk disk_{1};
  std::unique_ptr<TableMessageStore> store_ =
      *TableMessageStore::Open(*SqliteMessageTables::Open("router.db", 0, {&disk_}), {});
  std::string store_id_ = "s1";
  std::vector<std::string> woken_;
};

// [rt-3.1]
TEST_F(EventIntakeTest, StoresAMessageForEachOfItsRules) {
  const auto intake = Make(kUserMessages);
  const auto applied = intake->Apply(
      "edge-1", Batch(7, {User("ns/t", "1"), User("ns/x", "2"), User("other/t", "3")}));
  EXPECT_THAT(applied.waits, IsOk());
  EXPECT_THAT(applied.results, ElementsAre(IsOk(), IsOk(), IsOk()));
  EXPECT_THAT(woken_, ElementsAre("ns/a", "ns/b"));
  const auto a = *store_->Waiting("ns/a", 10);
  ASSERT_THAT(a, SizeIs(1));
  EXPECT_EQ(a[0].payload, "1");
  EXPECT_EQ(a[0].source, "ns/t");
  EXPECT_EQ(a[0].key, "edge-1/usermessages/s1/7/u-a");
  EXPECT_THAT(*store_->Waiting("ns/b", 10), SizeIs(2));
  EXPECT_EQ(metrics_.events.at("routed")->Value(), 3);
  EXPECT_EQ(metrics_.events.at("unrouted")->Value(), 1);
  // It comes again after a lost answer.
  intake->Apply("edge-1", Batch(7, {User("ns/t", "1")}));
  EXPECT_THAT(*store_->Waiting("ns/a", 10), SizeIs(1));
  EXPECT_EQ(metrics_.events.at("repeated")->Value(), 1);
}

TEST_F(EventIntakeTest, TakesPostsOfLocalPrograms) {
  servicebus::v1::ServicePost post;
  post.set_target_url("http://x/");
  post.set_content_type("application/json");
  post.set_payload("{}");
  const auto intake = Make(kServicePosts);
  intake->Apply("edge-1", Batch(1, {post.SerializeAsString()}));
  const auto c = *store_->Waiting("ns/c", 10);
  ASSERT_THAT(c, SizeIs(1));
  EXPECT_EQ(c[0].content_type, "application/json");
  EXPECT_EQ(c[0].payload, "{}");
}

TEST_F(EventIntakeTest, RefusesWhatIsMalformed) {
  const auto applied =
      Make(kUserMessages)
          ->Apply("edge-1", Batch(1, {"\xff\xff", User("a/#", ""), User("ns/t", "1")}));
  EXPECT_THAT(applied.results,
              ElementsAre(HasReason("EVENT_MALFORMED"), HasReason("TOPIC_INVALID"), IsOk()));
  EXPECT_THAT(*store_->Waiting("ns/a", 10), SizeIs(1));
}

// [rt-3.2]
TEST_F(EventIntakeTest, WaitsWhereItCannotBeStored) {
  store_id_.clear();
  auto applied = Make(kUserMessages)->Apply("edge-1", Batch(1, {User("ns/t", "1")}));
  EXPECT_TRUE(applied.results.empty());
  EXPECT_TRUE(absl::IsUnavailable(applied.waits));
  store_id_ = "s1";
  // Of a session before: its sequences may be another store's.
  auto before = Batch(1, {User("ns/t", "1")});
  before.epoch = 0;
  EXPECT_TRUE(absl::IsUnavailable(Make(kUserMessages)->Apply("edge-1", before).waits));
  store_.reset();
  store_ =
      *TableMessageStore::Open(*SqliteMessageTables::Open("router.db", 64 << 10, {&disk_}), {});
  applied =
      Make(kUserMessages)->Apply("edge-1", Batch(1, {User("ns/t", std::string(100'000, 'x'))}));
  EXPECT_TRUE(applied.results.empty());
  EXPECT_THAT(applied.waits, HasReason("DATABASE_FULL"));
}

}  // namespace
}  // namespace skerry::router
