#include "services/standalone-api-svc/scheduler/scheduler.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/human.h"

namespace skerry::standaloneapi {
namespace {

using kubeapi::Json;
using kubeapi::StringAt;

constexpr absl::Duration kRetry = absl::Seconds(1);
// Changes come in bursts (a deployment of many pods, nodes at start).
constexpr absl::Duration kGather = absl::Milliseconds(5);
constexpr char kName[] = "default-scheduler";

std::string KeyOf(const Json& pod) {
  return absl::StrCat(StringAt(pod, {"metadata", "namespace"}), "/",
                      StringAt(pod, {"metadata", "name"}));
}

std::string PathOf(const Json& pod) {
  return absl::StrCat("/api/v1/namespaces/", StringAt(pod, {"metadata", "namespace"}), "/pods/",
                      StringAt(pod, {"metadata", "name"}));
}

bool Waits(const Json& pod) {
  const std::string phase = StringAt(pod, {"status", "phase"});
  return StringAt(pod, {"spec", "nodeName"}).empty() &&
         StringAt(pod, {"spec", "schedulerName"}) == kName &&
         kubeapi::FindPath(pod, {"metadata", "deletionTimestamp"}) == nullptr &&
         phase != "Succeeded" && phase != "Failed" &&
         kubeapi::ArrayAt(pod, {"spec", "schedulingGates"}).empty();
}

// What the pod's condition says already; empty where it is not Unschedulable.
std::string SaidBefore(const Json& pod) {
  for (const Json& condition : kubeapi::ArrayAt(pod, {"status", "conditions"})) {
    if (StringAt(condition, {"type"}) == "PodScheduled" &&
        StringAt(condition, {"status"}) == "False") {
      return StringAt(condition, {"message"});
    }
  }
  return "";
}

prometheus::Counter& Attempts(metrics::Registry& registry, const char* result) {
  return registry.Counter("skerry_scheduler_attempts_total",
                          "Pods that the scheduler tried to place.", {{"result", result}});
}

}  // namespace

Scheduler::Scheduler(kubeapi::LocalClient& client, Clock& clock, metrics::Registry& registry,
                     log::Logger log)
    : client_(client),
      clock_(clock),
      log_(std::move(log)),
      bound_(Attempts(registry, "bound")),
      unschedulable_(Attempts(registry, "unschedulable")),
      failed_(Attempts(registry, "error")),
      executor_("scheduler", clock) {}

Scheduler::~Scheduler() { Stop(); }

void Scheduler::Start() {
  executor_.Post([this] {
    WatchNodes();
    WatchPods();
  });
}

void Scheduler::Stop() {
  executor_.Post([this] {
    pod_watch_.reset();
    node_watch_.reset();
  });
  executor_.Stop();
}

void Scheduler::WatchPods() {
  pod_watch_.reset();
  pods_.clear();
  auto watch = client_.Watch(
      "/api/v1/pods", {},
      {[this](absl::string_view type, Json pod) {
         executor_.Post([this, type = std::string(type), pod = std::move(pod)]() mutable {
           OnPod(type, std::move(pod));
         });
       },
       [this] { executor_.PostAfter(kRetry, [this] { WatchPods(); }); }});
  if (watch.ok()) {
    pod_watch_ = *std::move(watch);
  } else {
    executor_.PostAfter(kRetry, [this] { WatchPods(); });
  }
}

void Scheduler::WatchNodes() {
  node_watch_.reset();
  nodes_.clear();
  auto watch = client_.Watch("/api/v1/nodes", {},
                             {[this](absl::string_view type, Json node) {
                                executor_.Post([this, type = std::string(type),
                                                node = std::move(node)] { OnNode(type, node); });
                              },
                              [this] { executor_.PostAfter(kRetry, [this] { WatchNodes(); }); }});
  if (watch.ok()) {
    node_watch_ = *std::move(watch);
  } else {
    executor_.PostAfter(kRetry, [this] { WatchNodes(); });
  }
}

void Scheduler::OnPod(absl::string_view type, Json pod) {
  if (type != "ADDED" && type != "MODIFIED" && type != "DELETED") return;
  const std::string key = KeyOf(pod);
  if (type == "DELETED") {
    pods_.erase(key);
    return Wake();  // There may be room now.
  }
  PodState& state = pods_[key];
  const std::string phase = StringAt(pod, {"status", "phase"});
  state.node = StringAt(pod, {"spec", "nodeName"});
  state.finished = phase == "Succeeded" || phase == "Failed";
  if (!Waits(pod)) {
    state.waiting = nullptr;
    return;
  }
  state.told = SaidBefore(pod);
  state.waiting = std::move(pod);
  Wake();
}

void Scheduler::OnNode(absl::string_view type, const Json& node) {
  const std::string name = StringAt(node, {"metadata", "name"});
  if (type == "DELETED") {
    nodes_.erase(name);
  } else if (type == "ADDED" || type == "MODIFIED") {
    nodes_[name] = ParseNode(node);
  } else {
    return;
  }
  Wake();
}

void Scheduler::Wake() {
  if (awake_) return;
  awake_ = true;
  executor_.PostAfter(kGather, [this] { Pass(); });
}

void Scheduler::Pass() {
  awake_ = false;
  std::vector<NodeInfo> nodes;
  std::map<std::string, int> used;
  for (const auto& [key, pod] : pods_) {
    if (!pod.node.empty() && !pod.finished) ++used[pod.node];
  }
  for (const auto& [name, node] : nodes_) {
    nodes.push_back(node);
    nodes.back().pods = used[name];
  }
  bool all = true;
  for (auto& [key, state] : pods_) {
    if (!state.waiting.is_null()) all = Schedule(key, state, nodes) && all;
  }
  if (all || awake_) return;
  awake_ = true;
  executor_.PostAfter(kRetry, [this] { Pass(); });
}

bool Scheduler::Schedule(const std::string& key, PodState& state, std::vector<NodeInfo>& nodes) {
  const Placement placement = Place(state.waiting, nodes);
  if (placement.node.empty()) {
    if (placement.message == state.told) return true;
    unschedulable_.Increment();
    if (!SayUnschedulable(state.waiting, placement.message)) return false;
    state.told = placement.message;
    return true;
  }
  if (!Bind(state.waiting, placement.node)) return false;
  log_.Info("pod bound", {{"pod", key}, {"node", placement.node}});
  state.node = placement.node;
  state.waiting = nullptr;
  for (NodeInfo& node : nodes) {
    if (node.name == placement.node) ++node.pods;
  }
  return true;
}

bool Scheduler::Bind(const Json& pod, const std::string& node) {
  const Json binding = {{"apiVersion", "v1"},
                        {"kind", "Binding"},
                        {"metadata",
                         {{"name", StringAt(pod, {"metadata", "name"})},
                          {"uid", StringAt(pod, {"metadata", "uid"})}}},
                        {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
  const absl::Status status = client_.Post(PathOf(pod) + "/binding", binding).status();
  if (status.ok()) {
    bound_.Increment();
    Record(pod, "Normal", "Scheduled",
           absl::StrCat("Successfully assigned ", KeyOf(pod), " to ", node));
    return true;
  }
  failed_.Increment();
  const std::string reason = kubeapi::StatusReason(status);
  // Bound by somebody else or deleted: the watch brings the news.
  if (reason != "Conflict" && reason != "NotFound")
    log_.Warning("pod not bound", status, {{"pod", KeyOf(pod)}});
  return false;
}

bool Scheduler::SayUnschedulable(const Json& pod, const std::string& message) {
  const Json patch = {
      {"status",
       {{"conditions", Json::array({{{"type", "PodScheduled"},
                                     {"status", "False"},
                                     {"reason", "Unschedulable"},
                                     {"message", message},
                                     {"lastTransitionTime", kubeapi::KubeTime(clock_.Now())}}})}}}};
  const absl::Status status = client_.StrategicPatch(PathOf(pod) + "/status", patch).status();
  if (!status.ok()) return false;
  Record(pod, "Warning", "FailedScheduling", message);
  return true;
}

void Scheduler::Record(const Json& pod, absl::string_view type, absl::string_view reason,
                       absl::string_view message) {
  const std::string ns = StringAt(pod, {"metadata", "namespace"});
  const std::string now = kubeapi::KubeTime(clock_.Now());
  const Json event = {{"apiVersion", "v1"},
                      {"kind", "Event"},
                      {"metadata", {{"generateName", StringAt(pod, {"metadata", "name"}) + "."}}},
                      {"involvedObject",
                       {{"apiVersion", "v1"},
                        {"kind", "Pod"},
                        {"name", StringAt(pod, {"metadata", "name"})},
                        {"namespace", ns},
                        {"uid", StringAt(pod, {"metadata", "uid"})}}},
                      {"type", std::string(type)},
                      {"reason", std::string(reason)},
                      {"message", std::string(message)},
                      {"count", 1},
                      {"firstTimestamp", now},
                      {"lastTimestamp", now},
                      {"source", {{"component", kName}}}};
  const absl::Status status =
      client_.Post(absl::StrCat("/api/v1/namespaces/", ns, "/events"), event).status();
  if (!status.ok()) log_.Warning("event not recorded", status, {{"pod", KeyOf(pod)}});
}

}  // namespace skerry::standaloneapi
