#include "services/edged-svc/core/status_json.h"

#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edged-svc/core/json_reader.h"

namespace skerry::edged {
namespace {

using nlohmann::json;
using Kind = ContainerState::Kind;

json TimeOrNull(absl::Time time) {
  if (time == absl::UnixEpoch()) return nullptr;
  return FormatKubeTime(time);
}

std::string WithRuntime(absl::string_view runtime, const std::string& id) {
  return id.empty() ? "" : absl::StrCat(runtime, "://", id);
}

std::string WithoutRuntime(const std::string& id) {
  const size_t at = id.find("://");
  return at == std::string::npos ? id : id.substr(at + 3);
}

void Set(json& out, const char* name, const std::string& value) {
  if (!value.empty()) out[name] = value;
}

json StateToJson(const ContainerState& state, absl::string_view runtime) {
  json out = json::object();
  switch (state.kind) {
    case Kind::kNone:
      break;
    case Kind::kWaiting: {
      json& waiting = out["waiting"] = json::object();
      Set(waiting, "reason", state.reason);
      Set(waiting, "message", state.message);
      break;
    }
    case Kind::kRunning:
      out["running"] = {{"startedAt", TimeOrNull(state.started)}};
      break;
    case Kind::kTerminated: {
      json& terminated = out["terminated"] = json::object();
      terminated["exitCode"] = state.exit_code;
      Set(terminated, "reason", state.reason);
      Set(terminated, "message", state.message);
      terminated["startedAt"] = TimeOrNull(state.started);
      terminated["finishedAt"] = TimeOrNull(state.finished);
      Set(terminated, "containerID", WithRuntime(runtime, state.container_id));
      break;
    }
  }
  return out;
}

json ContainerToJson(const ContainerStatus& s, absl::string_view runtime) {
  json out = {{"name", s.name},
              {"image", s.image},
              {"imageID", s.image_id},
              {"ready", s.ready},
              {"started", s.started},
              {"restartCount", s.restart_count},
              {"state", StateToJson(s.state, runtime)},
              {"lastState", StateToJson(s.last_state, runtime)}};
  Set(out, "containerID", WithRuntime(runtime, s.container_id));
  return out;
}

json ConditionsToJson(const PodStatus& status, const std::vector<std::string>& foreign) {
  std::map<std::string, json> by_type;
  std::vector<std::string> order;
  for (const PodCondition& c : status.conditions) {
    json condition = {{"type", c.type},
                      {"status", c.status},
                      {"lastProbeTime", nullptr},
                      {"lastTransitionTime", TimeOrNull(c.transition)}};
    Set(condition, "reason", c.reason);
    Set(condition, "message", c.message);
    by_type[c.type] = std::move(condition);
    order.push_back(c.type);
  }
  for (const std::string& text : foreign) {
    json condition = json::parse(text, nullptr, false);
    if (!condition.is_object() || !condition.contains("type") || !condition["type"].is_string())
      continue;
    const std::string type = condition["type"].get<std::string>();
    const bool known = by_type.contains(type);
    if (known && type != "PodScheduled") continue;
    if (!known) order.push_back(type);
    by_type[type] = std::move(condition);
  }
  json out = json::array();
  for (const std::string& type : order) out.push_back(std::move(by_type[type]));
  return out;
}

ContainerState StateFromJson(const JsonReader& json) {
  ContainerState state;
  if (const JsonReader waiting = json.Object("waiting"); waiting.present()) {
    state.kind = Kind::kWaiting;
    state.reason = waiting.Str("reason");
    state.message = waiting.Str("message");
  } else if (const JsonReader running = json.Object("running"); running.present()) {
    state.kind = Kind::kRunning;
    state.started = ParseKubeTime(running.Str("startedAt"));
  } else if (const JsonReader ended = json.Object("terminated"); ended.present()) {
    state.kind = Kind::kTerminated;
    state.exit_code = static_cast<int32_t>(ended.Int("exitCode", -1 << 30, 1 << 30).value_or(0));
    state.reason = ended.Str("reason");
    state.message = ended.Str("message");
    state.started = ParseKubeTime(ended.Str("startedAt"));
    state.finished = ParseKubeTime(ended.Str("finishedAt"));
    state.container_id = WithoutRuntime(ended.Str("containerID"));
  }
  return state;
}

ContainerStatus ContainerFromJson(const JsonReader& json) {
  ContainerStatus s;
  s.name = json.Str("name");
  s.image = json.Str("image");
  s.image_id = json.Str("imageID");
  s.container_id = WithoutRuntime(json.Str("containerID"));
  s.ready = json.Bool("ready");
  s.started = json.Bool("started");
  s.restart_count = static_cast<int32_t>(json.Int("restartCount", 0, 1 << 30).value_or(0));
  s.state = StateFromJson(json.Object("state"));
  s.last_state = StateFromJson(json.Object("lastState"));
  return s;
}

}  // namespace

std::string FormatKubeTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d%ET%H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::Time ParseKubeTime(absl::string_view text) {
  absl::Time time;
  std::string error;
  return absl::ParseTime(absl::RFC3339_full, text, &time, &error) ? time : absl::UnixEpoch();
}

std::string ToJson(const PodStatus& status, absl::string_view runtime_name,
                   const std::vector<std::string>& foreign_conditions) {
  json out = {{"phase", status.phase},
              {"startTime", TimeOrNull(status.start_time)},
              {"qosClass", status.qos},
              {"conditions", ConditionsToJson(status, foreign_conditions)},
              {"containerStatuses", json::array()}};
  Set(out, "reason", status.reason);
  Set(out, "message", status.message);
  if (!status.host_address.empty()) {
    out["hostIP"] = status.host_address;
    out["hostIPs"] = json::array({{{"ip", status.host_address}}});
  }
  if (!status.addresses.empty()) {
    out["podIP"] = status.addresses.front();
    json& addresses = out["podIPs"] = json::array();
    for (const std::string& address : status.addresses) addresses.push_back({{"ip", address}});
  }
  for (const ContainerStatus& s : status.containers)
    out["containerStatuses"].push_back(ContainerToJson(s, runtime_name));
  if (!status.init_containers.empty()) {
    json& init = out["initContainerStatuses"] = json::array();
    for (const ContainerStatus& s : status.init_containers)
      init.push_back(ContainerToJson(s, runtime_name));
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

PodStatus PodStatusFromJson(absl::string_view text) {
  PodStatus status;
  const json document = json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object()) return status;
  absl::Status ignored;
  const JsonReader root(&document, "", &ignored);
  status.phase = root.Str("phase", "Pending");
  status.reason = root.Str("reason");
  status.message = root.Str("message");
  status.host_address = root.Str("hostIP");
  status.qos = root.Str("qosClass");
  status.start_time = ParseKubeTime(root.Str("startTime"));
  root.Each("podIPs",
            [&](const JsonReader& address) { status.addresses.push_back(address.Str("ip")); });
  root.Each("conditions", [&](const JsonReader& c) {
    status.conditions.push_back({c.Str("type"), c.Str("status"), c.Str("reason"), c.Str("message"),
                                 ParseKubeTime(c.Str("lastTransitionTime"))});
  });
  root.Each("containerStatuses",
            [&](const JsonReader& c) { status.containers.push_back(ContainerFromJson(c)); });
  root.Each("initContainerStatuses",
            [&](const JsonReader& c) { status.init_containers.push_back(ContainerFromJson(c)); });
  return status;
}

}  // namespace skerry::edged
