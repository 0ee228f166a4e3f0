// The engine between an API in memory, a hub in this process and a real target.
#include "services/router-svc/engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/cloudspoke/testing/fake_hub.h"
#include "services/lib/cloudspoke/testing/hub_list.h"
#include "services/lib/http/beast_caller.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/sqlite/testing/sim_disk.h"
#include "services/router-svc/store/sqlite_message_tables.h"
#include "services/router-svc/store/table_message_store.h"
#include "services/router-svc/testing/rules_api.h"
#include "services/router-svc/wire/rule_objects.h"

namespace skerry::router {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

std::string User(const std::string& topic, const std::string& payload) {
  eventbus::v1::UserMessage message;
  message.set_topic(topic);
  message.set_payload(payload);
  return message.SerializeAsString();
}

std::string Post(const std::string& url, const std::string& payload) {
  servicebus::v1::ServicePost post;
  post.set_target_url(url);
  post.set_payload(payload);
  return post.SerializeAsString();
}

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() {
    target_ = *http::Server::Create({}, [this](const http::Request& request,
                                               const std::shared_ptr<http::Responder>& responder) {
      int status = 200;
      {
        absl::MutexLock lock(&mutex_);
        got_.push_back(absl::StrCat(request.path, " ", request.body, " ",
                                    request.Header("skerry-node"), " ",
                                    request.Header("idempotency-key")));
        if (request.body == "bad") status = 422;
      }
      responder->Send({.status = status});
    });
    for (const char* name : {"rest", "eventbus", "servicebus"}) {
      api_.Put(RuleEndpoints(), absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name,
                                             R"("},"spec":{"ruleEndpointType":")", name, R"("}})"));
    }
    Rule("mqtt", "eventbus", R"({"topic":"alarms","node_name":"edge-1"})");
    Rule("http", "servicebus", R"({"target_url":"http://shop/","node_name":"edge-1"})");
    hubs_.Set({hub_.address()});
  }
  ~EngineTest() override {
    engine_.reset();
    target_->Shutdown(absl::Now());
  }

  void Rule(const std::string& name, const std::string& source, const std::string& resource) {
    api_.Put(Rules(),
             absl::StrCat(R"({"metadata":{"namespace":"ns","name":")", name, R"(","uid":"u-)", name,
                          R"("},"spec":{"source":")", source, R"(","sourceResource":)", resource,
                          R"(,"target":"rest","targetResource":{"resource":"http://)",
                          target_->address(), "/", name, R"("}}})"));
  }
  void Start() {
    engine_.reset();
    const int before = hub_.attachments();
    engine_ =
        std::make_unique<Engine>(Engine::Options{.instance = "t",
                                                 .find_hubs_interval = absl::Milliseconds(100),
                                                 .status_interval = absl::Milliseconds(100)},
                                 api_, hubs_, *store_, caller_,
                                 Engine::Listener{.on_synced = [] {}, .on_hubs = [](size_t) {}},
                                 clock_, metrics_, log::Logger::Null());
    engine_->Start();
    ASSERT_TRUE(hub_.AwaitAttached());
    ASSERT_GE(hub_.attachments(), before);
  }
  void Connect(uint64_t epoch) { hub_.Connect("edge-1", epoch, "store-1"); }
  std::vector<std::string> AwaitGot(size_t count) {
    absl::MutexLock lock(&mutex_);
    const auto there = [&] { return got_.size() >= count; };
    EXPECT_TRUE(mutex_.AwaitWithTimeout(absl::Condition(&there), absl::Seconds(20)));
    return got_;
  }
  bool AwaitStatus(const std::string& rule, int64_t success, int64_t fail) {
    return api_.Await(Rules(), rule, [&](const std::optional<KubeObject>& object) {
      return kubeapi::IntAt(object->Json(), {"status", "successMessages"}) == success &&
             kubeapi::IntAt(object->Json(), {"status", "failMessages"}) == fail;
    });
  }

  SystemClock clock_;
  metrics::Registry registry_{"router-svc"};
  RouterMetrics metrics_{registry_};
  RulesApi api_;
  cloudspoke::FakeHub hub_;
  cloudspoke::HubList hubs_;
  sqlite::testing::SimDisk disk_{1};
  std::unique_ptr<TableMessageStore> store_ =
      *TableMessageStore::Open(*SqliteMessageTables::Open("router.db", 0, {&disk_}), {});
  http::BeastCaller caller_{{}};
  absl::Mutex mutex_;
  std::vector<std::string> got_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<http::Server> target_;
  std::unique_ptr<Engine> engine_;
};

// [rt-3.1] [rt-4.1]
TEST_F(EngineTest, BringsMessagesOfBoxesToTheirTargets) {
  Start();
  EXPECT_THAT(hub_.registration().event_streams(), ElementsAre("usermessages", "servicebus"));
  Connect(1);
  hub_.Events("edge-1", 1, 5,
              {User("ns/alarms", "1"), User("ns/other", "2"), User("ns/alarms", "bad")},
              "usermessages");
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 events done 7"));
  hub_.Events("edge-1", 1, 1, {Post("http://shop/", "3")}, "servicebus");
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 events done 1"));
  EXPECT_THAT(AwaitGot(3),
              UnorderedElementsAre("/mqtt 1 edge-1 edge-1/usermessages/store-1/5/u-mqtt",
                                   "/mqtt bad edge-1 edge-1/usermessages/store-1/7/u-mqtt",
                                   "/http 3 edge-1 edge-1/servicebus/store-1/1/u-http"));
  EXPECT_TRUE(AwaitStatus("ns/mqtt", 1, 1));
  EXPECT_TRUE(AwaitStatus("ns/http", 1, 0));
  EXPECT_EQ(store_->stats().letters, 1);
  EXPECT_NE(engine_->ChannelOf("edge-1"), nullptr);
  EXPECT_EQ(engine_->ChannelOf("edge-2"), nullptr);
}

// [rt-1.4]
TEST_F(EngineTest, TellsABoxOfItsRules) {
  Start();
  Connect(1);
  hub_.Subscribe("edge-1", 1, kRuleType, 7);
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 rules.rules.kubeedge.io + ns/http"));
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 rules.rules.kubeedge.io + ns/mqtt"));
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 rules.rules.kubeedge.io synced"));
  EXPECT_EQ(hub_.Pushed("edge-1", kRuleType, "ns/mqtt").find(target_->address()),
            std::string::npos);
  // A status that is written is no change for the box.
  hub_.Events("edge-1", 1, 1, {User("ns/alarms", "1")}, "usermessages");
  EXPECT_TRUE(AwaitStatus("ns/mqtt", 1, 0));
  Rule("mqtt", "eventbus", R"({"topic":"alarms","node_name":"edge-2"})");
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 rules.rules.kubeedge.io - ns/mqtt"));
  EXPECT_FALSE(hub_.AwaitSaid("edge-1 rules.rules.kubeedge.io + ns/mqtt", 2, absl::ZeroDuration()));
}

// What was accepted is not taken twice, over sessions and restarts.
TEST_F(EngineTest, TakesAnEventOnce) {
  Start();
  Connect(1);
  hub_.Events("edge-1", 1, 5, {User("ns/alarms", "1")}, "usermessages");
  AwaitGot(1);
  EXPECT_TRUE(AwaitStatus("ns/mqtt", 1, 0));
  Start();
  Connect(2);
  hub_.Events("edge-1", 2, 5, {User("ns/alarms", "1"), User("ns/alarms", "2")}, "usermessages");
  EXPECT_TRUE(hub_.AwaitSaid("edge-1 events done 6"));
  EXPECT_THAT(AwaitGot(2), ElementsAre("/mqtt 1 edge-1 edge-1/usermessages/store-1/5/u-mqtt",
                                       "/mqtt 2 edge-1 edge-1/usermessages/store-1/6/u-mqtt"));
  EXPECT_TRUE(AwaitStatus("ns/mqtt", 2, 0));
}

// [rt-1.3]
TEST_F(EngineTest, FollowsRules) {
  Start();
  Connect(1);
  api_.Remove(Rules(), "ns", "mqtt");
  Rule("new", "eventbus", R"({"topic":"alarms","node_name":"edge-1"})");
  const auto known = [&] {
    return engine_->rules().Table()->Find("ns/new") != nullptr &&
           !engine_->rules().Exists("ns/mqtt");
  };
  // The informer tells when it likes.
  uint64_t sequence = 0;
  while (!known()) {
    hub_.Events("edge-1", 1, ++sequence, {User("ns/none", "")}, "usermessages");
    ASSERT_TRUE(hub_.AwaitSaid(absl::StrCat("edge-1 events done ", sequence)));
  }
  hub_.Events("edge-1", 1, ++sequence, {User("ns/alarms", "x")}, "usermessages");
  EXPECT_THAT(AwaitGot(1), ElementsAre(absl::StrCat("/new x edge-1 edge-1/usermessages/store-1/",
                                                    sequence, "/u-new")));
}

}  // namespace
}  // namespace skerry::router
