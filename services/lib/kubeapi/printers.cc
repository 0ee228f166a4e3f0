#include "services/lib/kubeapi/printers.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "services/lib/kubeapi/human.h"

namespace skerry::kubeapi {
namespace {

using Cells = Json (*)(const Json& object, absl::Time now);

std::string Name(const Json& object) { return StringAt(object, {"metadata", "name"}); }

std::string Age(const Json& object, absl::Time now) {
  return AgeSince(StringAt(object, {"metadata", "creationTimestamp"}), now);
}

std::string OrNone(std::string text) { return text.empty() ? "<none>" : text; }

const Json* Condition(const Json& object, absl::string_view type) {
  for (const Json& condition : ArrayAt(object, {"status", "conditions"})) {
    if (StringAt(condition, {"type"}) == type) return &condition;
  }
  return nullptr;
}

// The container's word for its state; empty while it runs.
std::string StateReason(const Json& status) {
  const Json& state = ObjectAt(status, {"state"});
  const std::string waiting = StringAt(state, {"waiting", "reason"});
  if (!waiting.empty()) return waiting;
  if (!state.contains("terminated")) return "";
  const std::string reason = StringAt(state, {"terminated", "reason"});
  if (!reason.empty()) return reason;
  const int64_t signal = IntAt(state, {"terminated", "signal"});
  if (signal != 0) return absl::StrCat("Signal:", signal);
  return absl::StrCat("ExitCode:", IntAt(state, {"terminated", "exitCode"}));
}

// "Init:0/2", "Init:CrashLoopBackOff", "Init:ExitCode:1"; empty once all init containers are done.
std::string InitStatus(const Json& pod) {
  const Json& statuses = ArrayAt(pod, {"status", "initContainerStatuses"});
  std::set<std::string> sidecars;
  for (const Json& container : ArrayAt(pod, {"spec", "initContainers"})) {
    if (StringAt(container, {"restartPolicy"}) == "Always")
      sidecars.insert(StringAt(container, {"name"}));
  }
  for (size_t i = 0; i < statuses.size(); ++i) {
    const Json& state = ObjectAt(statuses[i], {"state"});
    if (state.contains("terminated") && IntAt(state, {"terminated", "exitCode"}) == 0) continue;
    if (sidecars.count(StringAt(statuses[i], {"name"})) != 0 && BoolAt(statuses[i], {"started"}))
      continue;
    if (state.contains("terminated")) return absl::StrCat("Init:", StateReason(statuses[i]));
    const std::string waiting = StringAt(state, {"waiting", "reason"});
    if (!waiting.empty() && waiting != "PodInitializing") return absl::StrCat("Init:", waiting);
    return absl::StrCat("Init:", i, "/", ArrayAt(pod, {"spec", "initContainers"}).size());
  }
  return "";
}

struct Restarts {
  int64_t count = 0;
  absl::Time last = absl::InfinitePast();
};

void Count(const Json& status, Restarts& restarts) {
  restarts.count += IntAt(status, {"restartCount"});
  absl::Time finished;
  if (absl::ParseTime(absl::RFC3339_full,
                      StringAt(status, {"lastState", "terminated", "finishedAt"}), &finished,
                      nullptr)) {
    restarts.last = std::max(restarts.last, finished);
  }
}

Json PodCells(const Json& pod, absl::Time now) {
  const Json& statuses = ArrayAt(pod, {"status", "containerStatuses"});
  size_t ready = 0;
  Restarts restarts;
  const bool initializing = !InitStatus(pod).empty();
  for (const Json& status : ArrayAt(pod, {"status", "initContainerStatuses"})) {
    if (initializing) Count(status, restarts);
  }
  for (const Json& status : statuses) {
    if (!initializing) Count(status, restarts);
    if (BoolAt(status, {"ready"}) && ObjectAt(status, {"state"}).contains("running")) ++ready;
  }
  std::string restarts_text = absl::StrCat(restarts.count);
  if (restarts.count != 0 && restarts.last != absl::InfinitePast()) {
    absl::StrAppend(&restarts_text, " (", HumanDuration(now - restarts.last), " ago)");
  }
  std::string gates = "<none>";
  const Json& wanted = ArrayAt(pod, {"spec", "readinessGates"});
  if (!wanted.empty()) {
    size_t met = 0;
    for (const Json& gate : wanted) {
      const Json* condition = Condition(pod, StringAt(gate, {"conditionType"}));
      if (condition != nullptr && StringAt(*condition, {"status"}) == "True") ++met;
    }
    gates = absl::StrCat(met, "/", wanted.size());
  }
  std::string ip = StringAt(pod, {"status", "podIP"});
  return {Name(pod),
          absl::StrCat(ready, "/", ArrayAt(pod, {"spec", "containers"}).size()),
          PodStatusText(pod),
          restarts_text,
          Age(pod, now),
          OrNone(ip),
          OrNone(StringAt(pod, {"spec", "nodeName"})),
          OrNone(StringAt(pod, {"status", "nominatedNodeName"})),
          gates};
}

std::string AddressOf(const Json& node, absl::string_view type) {
  for (const Json& address : ArrayAt(node, {"status", "addresses"})) {
    if (StringAt(address, {"type"}) == type) return StringAt(address, {"address"});
  }
  return "";
}

std::string OrUnknown(std::string text) { return text.empty() ? "<unknown>" : text; }

Json NodeCells(const Json& node, absl::Time now) {
  const Json* ready = Condition(node, "Ready");
  std::string status = "Unknown";
  if (ready != nullptr) status = StringAt(*ready, {"status"}) == "True" ? "Ready" : "NotReady";
  if (BoolAt(node, {"spec", "unschedulable"})) status += ",SchedulingDisabled";
  std::set<std::string> roles;
  for (const auto& [key, value] : ObjectAt(node, {"metadata", "labels"}).items()) {
    absl::string_view role = key;
    if (absl::ConsumePrefix(&role, "node-role.kubernetes.io/")) {
      if (!role.empty()) roles.insert(std::string(role));
    } else if (key == "kubernetes.io/role" && value.is_string() &&
               !value.get<std::string>().empty()) {
      roles.insert(value.get<std::string>());
    }
  }
  return {Name(node),
          status,
          OrNone(absl::StrJoin(roles, ",")),
          Age(node, now),
          StringAt(node, {"status", "nodeInfo", "kubeletVersion"}),
          OrNone(AddressOf(node, "InternalIP")),
          OrNone(AddressOf(node, "ExternalIP")),
          OrUnknown(StringAt(node, {"status", "nodeInfo", "osImage"})),
          OrUnknown(StringAt(node, {"status", "nodeInfo", "kernelVersion"})),
          OrUnknown(StringAt(node, {"status", "nodeInfo", "containerRuntimeVersion"}))};
}

Json NamespaceCells(const Json& ns, absl::Time now) {
  return {Name(ns), StringAt(ns, {"status", "phase"}), Age(ns, now)};
}

Json ConfigMapCells(const Json& map, absl::Time now) {
  return {Name(map), ObjectAt(map, {"data"}).size() + ObjectAt(map, {"binaryData"}).size(),
          Age(map, now)};
}

Json SecretCells(const Json& secret, absl::Time now) {
  return {Name(secret), StringAt(secret, {"type"}), ObjectAt(secret, {"data"}).size(),
          Age(secret, now)};
}

Json ServiceAccountCells(const Json& account, absl::Time now) {
  return {Name(account), ArrayAt(account, {"secrets"}).size(), Age(account, now)};
}

Json LeaseCells(const Json& lease, absl::Time now) {
  return {Name(lease), StringAt(lease, {"spec", "holderIdentity"}), Age(lease, now)};
}

std::string FirstOf(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return "";
}

Json EventCells(const Json& event, absl::Time now) {
  const std::string event_time = StringAt(event, {"eventTime"});
  const std::string first = FirstOf({StringAt(event, {"firstTimestamp"}), event_time});
  const std::string last = FirstOf(
      {StringAt(event, {"series", "lastObservedTime"}), StringAt(event, {"lastTimestamp"}), first});
  const int64_t count = IntAt(event, {"series", "count"}, IntAt(event, {"count"}, 1));
  std::string kind = StringAt(event, {"involvedObject", "kind"});
  std::transform(kind.begin(), kind.end(), kind.begin(), ::tolower);
  const std::string component =
      FirstOf({StringAt(event, {"source", "component"}), StringAt(event, {"reportingComponent"})});
  const std::string host = StringAt(event, {"source", "host"});
  return {AgeSince(last, now),
          StringAt(event, {"type"}),
          StringAt(event, {"reason"}),
          absl::StrCat(kind, "/", StringAt(event, {"involvedObject", "name"})),
          StringAt(event, {"involvedObject", "fieldPath"}),
          host.empty() ? component : absl::StrCat(component, ", ", host),
          std::string(absl::StripAsciiWhitespace(StringAt(event, {"message"}))),
          AgeSince(first, now),
          count,
          Name(event)};
}

Json CrdCells(const Json& crd, absl::Time now) {
  return {Name(crd), StringAt(crd, {"metadata", "creationTimestamp"})};
}

Json DefaultCells(const Json& object, absl::Time now) { return {Name(object), Age(object, now)}; }

struct Printer {
  std::vector<Column> columns;
  Cells cells;
};

const Column kName = {"Name", "string", "name"};
const Column kAge = {"Age"};

Column Wide(const char* name) { return {name, "string", "", 1}; }

const std::map<std::string, Printer>& Printers() {
  static const auto& printers = *new std::map<std::string, Printer>{
      {"Pod",
       {{kName,
         {"Ready"},
         {"Status"},
         {"Restarts"},
         kAge,
         Wide("IP"),
         Wide("Node"),
         Wide("Nominated Node"),
         Wide("Readiness Gates")},
        PodCells}},
      {"Node",
       {{kName,
         {"Status"},
         {"Roles"},
         kAge,
         {"Version"},
         Wide("Internal-IP"),
         Wide("External-IP"),
         Wide("OS-Image"),
         Wide("Kernel-Version"),
         Wide("Container-Runtime")},
        NodeCells}},
      {"Namespace", {{kName, {"Status"}, kAge}, NamespaceCells}},
      {"ConfigMap", {{kName, {"Data", "integer"}, kAge}, ConfigMapCells}},
      {"Secret", {{kName, {"Type"}, {"Data", "integer"}, kAge}, SecretCells}},
      {"ServiceAccount", {{kName, {"Secrets", "integer"}, kAge}, ServiceAccountCells}},
      {"Lease", {{kName, {"Holder"}, kAge}, LeaseCells}},
      {"Event",
       {{{"Last Seen"},
         {"Type"},
         {"Reason"},
         {"Object"},
         Wide("Subobject"),
         Wide("Source"),
         {"Message"},
         Wide("First Seen"),
         {"Count", "integer", "", 1},
         {"Name", "string", "name", 1}},
        EventCells}},
      {"CustomResourceDefinition", {{kName, {"Created At", "date"}}, CrdCells}},
  };
  return printers;
}

}  // namespace

std::string PodStatusText(const Json& pod) {
  std::string reason =
      FirstOf({StringAt(pod, {"status", "reason"}), StringAt(pod, {"status", "phase"})});
  const Json* scheduled = Condition(pod, "PodScheduled");
  if (scheduled != nullptr && StringAt(*scheduled, {"reason"}) == "SchedulingGated")
    reason = "SchedulingGated";
  const std::string init = InitStatus(pod);
  if (!init.empty()) {
    reason = init;
  } else {
    bool running = false;
    const Json& statuses = ArrayAt(pod, {"status", "containerStatuses"});
    for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
      const std::string state = StateReason(*status);
      if (!state.empty()) {
        reason = state;
      } else if (BoolAt(*status, {"ready"}) && ObjectAt(*status, {"state"}).contains("running")) {
        running = true;
      }
    }
    if (reason == "Completed" && running) {
      const Json* ready = Condition(pod, "Ready");
      reason = ready != nullptr && StringAt(*ready, {"status"}) == "True" ? "Running" : "NotReady";
    }
  }
  if (FindPath(pod, {"metadata", "deletionTimestamp"}) != nullptr) {
    const std::string phase = StringAt(pod, {"status", "phase"});
    if (StringAt(pod, {"status", "reason"}) == "NodeLost") return "Unknown";
    if (phase != "Succeeded" && phase != "Failed") return "Terminating";
  }
  return reason;
}

void AddPrinter(Resource& resource) {
  const auto known = Printers().find(resource.kind);
  if (known != Printers().end()) {
    resource.columns = known->second.columns;
    resource.cells = known->second.cells;
  } else {
    resource.columns = {kName, kAge};
    resource.cells = DefaultCells;
  }
}

}  // namespace skerry::kubeapi
