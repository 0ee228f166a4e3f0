// What becomes of a node's events: the engine between an API in memory and a hub in this process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "api/skerry/edged/v1/event.pb.h"
#include "services/edge-controller-svc/engine.h"
#include "services/edge-controller-svc/testing/fake_hub.h"
#include "services/lib/cloudspoke/testing/hub_list.h"
#include "services/lib/kubeclient/testing/fake_client.h"

namespace skerry::edgecontroller {
namespace {

using cloudspoke::HubList;
using edged::v1::KubernetesEvent;
using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

class UpstreamEventsTest : public ::testing::Test {
 protected:
  UpstreamEventsTest() {
    for (const auto& [name, node] : {std::pair("mine", "edge-1"), std::pair("theirs", "edge-2")}) {
      api_.Put(kubeclient::Pods(), json{{"apiVersion", "v1"},
                                        {"kind", "Pod"},
                                        {"metadata", {{"namespace", "ns"}, {"name", name}}},
                                        {"spec", {{"nodeName", node}}},
                                        {"status", json::object()}}
                                       .dump());
    }
    hubs_.Set({hub_.address()});
    engine_ = std::make_unique<Engine>(
        Engine::Options{.instance = "test", .events = {.workers = 1, .bytes_max_per_node = 20'000}},
        api_, hubs_, Engine::Listener{.on_synced = [] {}, .on_hubs = [](size_t) {}}, clock_,
        metrics_, log::Logger::Null());
    engine_->Start();
    EXPECT_TRUE(hub_.AwaitAttached());
    hub_.Connect("edge-1", 1);
  }
  ~UpstreamEventsTest() override { engine_.reset(); }

  // Of pod "mine" unless told otherwise.
  static KubernetesEvent Event(const std::string& id, int count = 1,
                               const std::string& pod = "mine", const std::string& uid = "uid-1") {
    KubernetesEvent event;
    event.set_id(id);
    event.set_kind("Pod");
    event.set_namespace_("ns");
    event.set_name(pod);
    event.set_uid(uid);
    event.set_type(KubernetesEvent::TYPE_NORMAL);
    event.set_reason("BackOff");
    event.set_message("m");
    event.mutable_first_time()->set_seconds(1'767'225'600);
    event.mutable_last_time()->set_seconds(1'767'225'600 + count);
    event.set_count(count);
    return event;
  }
  void Send(uint64_t sequence, const std::vector<KubernetesEvent>& events, uint64_t epoch = 1) {
    std::vector<std::string> values;
    for (const KubernetesEvent& event : events) values.push_back(event.SerializeAsString());
    hub_.Events("edge-1", epoch, sequence, values);
  }
  // "BackOff x3" of all there are.
  std::vector<std::string> Events() {
    std::vector<std::string> out;
    const auto list = api_.List(kubeclient::Events(), "", {});
    for (const KubeObject& event : list->items)
      out.push_back(absl::StrCat(event.Json()["reason"].get<std::string>(), " x",
                                 event.Json()["count"].get<int>()));
    return out;
  }
  double Count(const std::string& result) { return metrics_.NodeEvent(result).Value(); }

  metrics::Registry registry_{"test-svc"};
  EdgeControllerMetrics metrics_{registry_};
  SystemClock clock_;
  kubeclient::FakeClient api_;
  FakeHub hub_;
  HubList hubs_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(UpstreamEventsTest, OwnsTheStream) {
  EXPECT_THAT(hub_.registration().event_streams(), ElementsAre("events"));
}

// [ec-7.1] [ec-7.2] link-9.6
TEST_F(UpstreamEventsTest, CountsUpOneEventAndARepeatChangesNothing) {
  Send(1, {Event("a"), Event("b"), Event("a", 2)});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 3"));
  EXPECT_THAT(Events(), ::testing::UnorderedElementsAre("BackOff x2", "BackOff x1"));
  Send(4, {Event("a"), Event("a", 2), Event("a", 5)});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 6"));
  EXPECT_THAT(Events(), ::testing::UnorderedElementsAre("BackOff x5", "BackOff x1"));
  EXPECT_EQ(Count("created"), 2);
  EXPECT_EQ(Count("updated"), 2);
  EXPECT_EQ(Count("unchanged"), 2);
}

// The first ones were dropped by a bound, or the API has forgotten the Event.
TEST_F(UpstreamEventsTest, ACountThatBeginsLateMakesTheEvent) {
  Send(1, {Event("a", 7)});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 1"));
  const json event = api_.List(kubeclient::Events(), "ns", {})->items.at(0).Json();
  EXPECT_EQ(event["count"], 7);
  EXPECT_EQ(event["firstTimestamp"], "2026-01-01T00:00:00Z");
}

// [ec-7.3] L7.
TEST_F(UpstreamEventsTest, ANodeTellsOfItsOwnOnly) {
  KubernetesEvent node = Event("n");
  node.set_kind("Node");
  node.clear_namespace_();
  for (const char* name : {"edge-1", "edge-2"}) {
    node.set_name(name);
    node.set_uid(name);
    Send(name == std::string("edge-1") ? 1 : 2, {node});
  }
  Send(3, {Event("x", 1, "theirs", "uid-2"), Event("y", 1, "mine", "uid-9"),
           Event("z", 1, "never-was", "uid-3")});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 5"));
  EXPECT_THAT(hub_.Said(), Contains("edge-1 event 2 PERMISSION_DENIED"));
  EXPECT_THAT(hub_.Said(), Contains("edge-1 event 3 PERMISSION_DENIED"));
  EXPECT_EQ(Count("gone"), 2);
  EXPECT_EQ(Count("rejected"), 2);
  const auto all = api_.List(kubeclient::Events(), "", {})->items;
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].object_namespace(), "default");
  EXPECT_EQ(all[0].Json()["involvedObject"]["name"], "edge-1");
}

// [ec-7.4]
TEST_F(UpstreamEventsTest, MalformedOnesAreAnsweredAndTheStreamGoesOn) {
  hub_.Events("edge-1", 1, 1, {"\xff\xff garbage", "", Event("a").SerializeAsString()});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 3"));
  EXPECT_THAT(hub_.Said(), ElementsAre("edge-1 event 1 INVALID_ARGUMENT",
                                       "edge-1 event 2 INVALID_ARGUMENT", "edge-1 events done 3"));
  EXPECT_THAT(Events(), ElementsAre("BackOff x1"));
}

// [ec-7.4] A namespace that is being deleted takes no new objects.
TEST_F(UpstreamEventsTest, WhatTheApiServerRefusesIsGivenUp) {
  api_.SetHook([](absl::string_view verb, const kubeclient::Resource& resource, absl::string_view) {
    return verb == "CREATE" && resource.plural == "events"
               ? absl::PermissionDeniedError("the namespace is being terminated")
               : absl::OkStatus();
  });
  Send(1, {Event("a")});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 1"));
  EXPECT_THAT(hub_.Said(), Contains("edge-1 event 1 PERMISSION_DENIED"));
}

// [ec-7.5] Meanwhile another node's events and reports do not wait.
TEST_F(UpstreamEventsTest, WaitsForTheApiServer) {
  absl::Mutex mutex;
  bool up = false;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource& resource,
                   absl::string_view name) -> absl::Status {
    absl::MutexLock lock(&mutex);
    const bool ours = verb == "CREATE" && resource.plural == "events";
    return ours && !up && name.substr(0, 4) == "mine" ? absl::UnavailableError("down")
                                                      : absl::OkStatus();
  });
  Send(1, {Event("a"), Event("b")});
  hub_.Connect("edge-2", 5);
  hub_.Events("edge-2", 5, 1, {Event("c", 1, "theirs", "uid-2").SerializeAsString()});
  ASSERT_TRUE(hub_.AwaitSaid("edge-2 events done 1"));
  hub_.ReportPod("edge-1", 1, 1, "ns/mine", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 done 1 OK"));
  EXPECT_THAT(hub_.Said(), Not(Contains("edge-1 events done 1")));
  {
    absl::MutexLock lock(&mutex);
    up = true;
  }
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 2"));
  EXPECT_EQ(Events().size(), 3u);
}

// [ec-7.2] Another controller of this service, or a person, writes the same Event.
TEST_F(UpstreamEventsTest, ConflictsAreRetriedWithWhatIsThere) {
  absl::Mutex mutex;
  int conflicts = 0;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource& resource,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    if (resource.plural != "events" || ++conflicts > 2) return absl::OkStatus();
    if (verb == "CREATE") return absl::AlreadyExistsError("there");
    return verb == "PATCH" ? absl::AbortedError("conflict") : absl::OkStatus();
  });
  Send(1, {Event("a"), Event("a", 2)});
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 2"));
  EXPECT_THAT(Events(), ElementsAre("BackOff x2"));
}

// [ec-7.2] The hub sends again what it has no answer for.
TEST_F(UpstreamEventsTest, ANewSessionBringsThemAgain) {
  absl::Mutex mutex;
  bool up = false;
  api_.SetHook([&](absl::string_view verb, const kubeclient::Resource& resource,
                   absl::string_view) -> absl::Status {
    absl::MutexLock lock(&mutex);
    return verb == "CREATE" && resource.plural == "events" && !up ? absl::UnavailableError("down")
                                                                  : absl::OkStatus();
  });
  Send(1, {Event("a")});
  hub_.Connect("edge-1", 2);
  Send(1, {Event("b")});  // Of the session that is over.
  Send(1, {Event("a"), Event("b")}, /*epoch=*/2);
  {
    absl::MutexLock lock(&mutex);
    up = true;
  }
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 events done 2"));
  EXPECT_THAT(Events(), ElementsAre("BackOff x1", "BackOff x1"));
}

TEST_F(UpstreamEventsTest, MoreThanMayWaitStaysUnanswered) {
  api_.SetHook([](absl::string_view verb, const kubeclient::Resource& resource, absl::string_view) {
    return verb == "CREATE" && resource.plural == "events" ? absl::UnavailableError("down")
                                                           : absl::OkStatus();
  });
  for (uint64_t i = 1; i <= 40; ++i) {
    KubernetesEvent event = Event(absl::StrCat(i));
    event.set_message(std::string(1000, 'x'));
    Send(i, {event});
  }
  hub_.ReportPod("edge-1", 1, 1, "ns/mine", "uid-1", R"({"phase":"Running"})");
  ASSERT_TRUE(hub_.AwaitSaid("edge-1 done 1 OK"));
  EXPECT_GT(Count("deferred"), 20);
}

}  // namespace
}  // namespace skerry::edgecontroller
