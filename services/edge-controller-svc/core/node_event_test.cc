#include "services/edge-controller-svc/core/node_event.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "services/lib/base/error.h"
#include "services/lib/model/event_name.h"

namespace skerry::edgecontroller {
namespace {

absl::Time At(int64_t seconds) { return absl::FromUnixSeconds(1'767'225'600 + seconds); }

NodeEventValue Event() {
  return {.id = "i-1",
          .kind = "Pod",
          .object_namespace = "ns",
          .name = "web",
          .uid = "u1",
          .field_path = "spec.containers{c}",
          .type = "Warning",
          .reason = "BackOff",
          .message = "Back-off",
          .first = At(0),
          .last = At(60),
          .count = 3};
}

absl::StatusOr<NodeEvent> Read(const NodeEventValue& event) {
  return ReadNodeEvent(event, "edge-1");
}

TEST(NodeEventTest, IsTheKubeletsEvent) {
  const auto event = Read(Event());
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->pod, "ns/web");
  EXPECT_EQ(event->object, nlohmann::json::parse(R"({
    "apiVersion": "v1", "kind": "Event",
    "metadata": {"name": ")" + event->name + R"(", "namespace": "ns"},
    "involvedObject": {"apiVersion": "v1", "kind": "Pod", "namespace": "ns", "name": "web",
                       "uid": "u1", "fieldPath": "spec.containers{c}"},
    "type": "Warning", "reason": "BackOff", "message": "Back-off",
    "source": {"component": "edged", "host": "edge-1"},
    "reportingComponent": "edged", "reportingInstance": "edge-1",
    "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:01:00Z",
    "count": 3})"));
}

TEST(NodeEventTest, ANodesEventIsInTheDefaultNamespace) {
  NodeEventValue event = Event();
  event.kind = "Node";
  event.object_namespace.clear();
  event.field_path.clear();
  event.name = "edge-1";
  event.uid = "edge-1";
  const auto read = Read(event);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->pod, "");
  EXPECT_EQ(read->object_namespace, "default");
  EXPECT_FALSE(read->object["involvedObject"].contains("namespace"));
  EXPECT_EQ(ReadNodeEvent(event, "edge-2").status().code(), absl::StatusCode::kPermissionDenied);
}

// The same id is the same Event, whatever else has changed; another node's never is.
TEST(NodeEventTest, TheNameFollowsFromTheId) {
  NodeEventValue event = Event();
  const std::string name = Read(event)->name;
  EXPECT_EQ(name.substr(0, 4), "web.");
  event.count = 4;
  event.message = "other";
  event.last = At(100);
  EXPECT_EQ(Read(event)->name, name);
  EXPECT_NE(ReadNodeEvent(event, "edge-2")->name, name);
  event.id = "i-2";
  EXPECT_NE(Read(event)->name, name);
}

TEST(NodeEventTest, NamesWhatIsWrong) {
  const auto reason = [](const std::function<void(NodeEventValue&)>& spoil) {
    NodeEventValue event = Event();
    spoil(event);
    const absl::Status status = Read(event).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return GetErrorInfo(status).metadata["field"];
  };
  EXPECT_EQ(reason([](auto& e) { e.id.clear(); }), "id");
  EXPECT_EQ(reason([](auto& e) { e.id = std::string(65, 'x'); }), "id");
  EXPECT_EQ(reason([](auto& e) { e.kind = "Secret"; }), "kind");
  EXPECT_EQ(reason([](auto& e) { e.object_namespace = "a/b"; }), "namespace, name");
  EXPECT_EQ(reason([](auto& e) { e.name = "../x"; }), "namespace, name");
  EXPECT_EQ(reason([](auto& e) { e.uid.clear(); }), "uid");
  EXPECT_EQ(reason([](auto& e) { e.field_path = std::string(513, 'x'); }), "field_path");
  EXPECT_EQ(reason([](auto& e) { e.type.clear(); }), "type");
  EXPECT_EQ(reason([](auto& e) { e.reason.clear(); }), "reason");
  EXPECT_EQ(reason([](auto& e) { e.message = std::string(1025, 'x'); }), "message");
  EXPECT_EQ(reason([](auto& e) { e.first.reset(); }), "first_time");
  EXPECT_EQ(reason([](auto& e) { e.last = absl::InfiniteFuture(); }), "last_time");
  EXPECT_EQ(reason([](auto& e) { e.count = 0; }), "count");
}

TEST(NodeEventTest, CountsNeverGoBack) {
  NodeEventValue event = Event();
  nlohmann::json present = Read(event)->object;
  present["metadata"]["resourceVersion"] = "7";
  EXPECT_EQ(*PlanEventUpdate(present, *Read(event)), "");
  event.count = 2;
  EXPECT_EQ(*PlanEventUpdate(present, *Read(event)), "");
  event.count = 5;
  event.message = "more";
  event.last = At(120);
  EXPECT_EQ(nlohmann::json::parse(*PlanEventUpdate(present, *Read(event))),
            nlohmann::json::parse(R"({"metadata": {"resourceVersion": "7"}, "message": "more",
                                      "lastTimestamp": "2026-01-01T00:02:00Z", "count": 5})"));
}

TEST(NodeEventTest, AnEventOfAnotherIsLeftAlone) {
  NodeEventValue event = Event();
  const nlohmann::json ours = Read(event)->object;
  event.count = 9;
  const NodeEvent update = *Read(event);
  nlohmann::json present = ours;
  present["involvedObject"]["uid"] = "u2";
  EXPECT_EQ(PlanEventUpdate(present, update).status().code(), absl::StatusCode::kPermissionDenied);
  present = ours;
  present["source"]["host"] = "edge-2";
  EXPECT_EQ(PlanEventUpdate(present, update).status().code(), absl::StatusCode::kPermissionDenied);
  present = ours;
  present["source"]["component"] = "edge-controller-svc";
  EXPECT_EQ(PlanEventUpdate(present, update).status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(EventNameTest, IsANameForEveryObject) {
  const std::string name = EventName(std::string(199, 'a') + "-." + std::string(40, 'b'), "x");
  EXPECT_EQ(name.substr(0, 200), std::string(199, 'a') + ".");
  EXPECT_EQ(name.size(), 216u);
  EXPECT_EQ(EventName("web", "x"), EventName("web", "x"));
  EXPECT_NE(EventName("web", "x"), EventName("web", "y"));
}

TEST(EventNameTest, SortsByTime) {
  const absl::Time first = absl::FromUnixSeconds(1'700'000'000);
  std::string last;
  for (int i = 0; i < 100; ++i) {
    const std::string name =
        EventName("web", first + absl::Nanoseconds(7 * i), absl::StrCat("id-", i));
    EXPECT_GT(name, last);
    last = name;
  }
  EXPECT_NE(EventName("web", first, "x"), EventName("web", first, "y"));
}

}  // namespace
}  // namespace skerry::edgecontroller
