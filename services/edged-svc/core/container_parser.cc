#include "services/edged-svc/core/container_parser.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "services/edged-svc/core/inner_path.h"
#include "services/edged-svc/core/quantity.h"
#include "services/lib/model/names.h"

namespace skerry::edged {
namespace {

void ParseEnv(const JsonReader& json, EnvVar& env) {
  env.name = json.Str("name");
  if (env.name.empty() || absl::StrContains(env.name, "=") || absl::StrContains(env.name, '\0'))
    json.Refuse(json.Path("name"), "is not a name of an environment variable");
  env.value = json.Str("value");
  if (absl::StrContains(env.value, '\0')) json.Refuse(json.Path("value"), "must not contain NUL");
  const JsonReader from = json.Object("valueFrom");
  if (!from.present()) return;
  if (const JsonReader ref = from.Object("configMapKeyRef"); ref.present()) {
    env.source = EnvVar::Source::kConfigMap;
    env.object = ref.Str("name");
    env.key = ref.Str("key");
    env.optional = ref.Bool("optional");
  } else if (const JsonReader ref = from.Object("secretKeyRef"); ref.present()) {
    env.source = EnvVar::Source::kSecret;
    env.object = ref.Str("name");
    env.key = ref.Str("key");
    env.optional = ref.Bool("optional");
  } else if (const JsonReader ref = from.Object("fieldRef"); ref.present()) {
    env.source = EnvVar::Source::kField;
    env.key = ref.Str("fieldPath");
  } else if (const JsonReader ref = from.Object("resourceFieldRef"); ref.present()) {
    env.source = EnvVar::Source::kResource;
    env.key = ref.Str("resource");
    env.container = ref.Str("containerName");
    env.divisor_nano = static_cast<int64_t>(ParseQuantityField(ref, "divisor"));
  } else {
    json.Refuse(from.path(), "names no source that this version knows");
  }
}

std::map<std::string, __int128> ParseResourceList(const JsonReader& json, const char* name) {
  std::map<std::string, __int128> out;
  const JsonReader list = json.Object(name);
  if (!list.present()) return out;
  const nlohmann::json* values = json.Find(name);
  for (auto it = values->begin(); it != values->end(); ++it)
    out[it.key()] = ParseQuantityField(list, it.key().c_str());
  return out;
}

int32_t ParsePort(const JsonReader& json, const char* name,
                  const std::vector<ContainerPort>& ports) {
  const nlohmann::json* value = json.Find(name);
  if (value != nullptr && value->is_string()) {
    for (const ContainerPort& port : ports) {
      if (port.name == value->get<std::string>()) return port.container_port;
    }
    json.Refuse(json.Path(name), "names no port of the container");
    return 0;
  }
  const std::optional<int64_t> port = json.Int(name, 1, 65535);
  if (!port.has_value()) json.Refuse(json.Path(name), "must be a port");
  return static_cast<int32_t>(port.value_or(0));
}

// Long enough for everybody, and a probe that hangs is over some day.
constexpr absl::Duration kProbeTimeoutMax = absl::Hours(1);

Handler ParseHandler(const JsonReader& json, const std::vector<ContainerPort>& ports, bool hook) {
  Handler handler;
  if (const JsonReader exec = json.Object("exec"); exec.present()) {
    handler.kind = Handler::Kind::kExec;
    handler.command = exec.Strings("command");
    if (handler.command.empty()) json.Refuse(exec.Path("command"), "must not be empty");
  } else if (const JsonReader http = json.Object("httpGet"); http.present()) {
    handler.kind = Handler::Kind::kHttp;
    handler.host = http.Str("host");
    handler.scheme = http.Str("scheme");
    if (handler.scheme.empty()) handler.scheme = "HTTP";
    handler.path = http.Str("path", "/");
    handler.port = ParsePort(http, "port", ports);
    http.Each("httpHeaders", [&](const JsonReader& header) {
      handler.headers.emplace_back(header.Str("name"), header.Str("value"));
      const auto& [name, value] = handler.headers.back();
      if (name.find_first_of("\r\n:") != std::string::npos ||
          value.find_first_of("\r\n") != std::string::npos)
        http.Refuse(header.path(), "must not contain line breaks");
    });
    if (handler.path.find_first_of("\r\n ") != std::string::npos)
      http.Refuse(http.Path("path"), "must not contain spaces or line breaks");
    if (handler.scheme != "HTTP" && handler.scheme != "HTTPS")
      http.Refuse(http.Path("scheme"), "must be HTTP or HTTPS");
  } else if (const JsonReader tcp = json.Object("tcpSocket"); tcp.present()) {
    handler.kind = Handler::Kind::kTcp;
    handler.host = tcp.Str("host");
    handler.port = ParsePort(tcp, "port", ports);
  } else if (const JsonReader sleep = json.Object("sleep"); sleep.present() && hook) {
    handler.kind = Handler::Kind::kSleep;
    handler.sleep_seconds = sleep.Int("seconds").value_or(0);
  } else if (const JsonReader grpc = json.Object("grpc"); grpc.present() && !hook) {
    handler.kind = Handler::Kind::kGrpc;
    handler.port = ParsePort(grpc, "port", ports);
    handler.grpc_service = grpc.Str("service");
  } else if (json.present()) {
    json.Refuse(json.path(), "names no action");
  }
  return handler;
}

std::optional<Probe> ParseProbe(const JsonReader& json, const std::vector<ContainerPort>& ports) {
  if (!json.present()) return std::nullopt;
  Probe probe;
  probe.handler = ParseHandler(json, ports, false);
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  const auto seconds = [&](const char* name, int64_t otherwise, int64_t min) {
    const int64_t value = json.Int(name, 0, kMax).value_or(otherwise);
    return absl::Seconds(value < min ? otherwise : value);
  };
  probe.initial_delay = seconds("initialDelaySeconds", 0, 0);
  probe.timeout = std::min(seconds("timeoutSeconds", 1, 1), kProbeTimeoutMax);
  probe.period = seconds("periodSeconds", 10, 1);
  probe.success_threshold =
      static_cast<int32_t>(std::max<int64_t>(1, json.Int("successThreshold", 0, kMax).value_or(1)));
  probe.failure_threshold = static_cast<int32_t>(json.Int("failureThreshold", 0, kMax).value_or(3));
  if (probe.failure_threshold == 0) probe.failure_threshold = 3;
  probe.termination_grace_seconds = json.Int("terminationGracePeriodSeconds", 1);
  return probe;
}

std::optional<Handler> ParseHook(const JsonReader& json, const std::vector<ContainerPort>& ports) {
  if (!json.present()) return std::nullopt;
  return ParseHandler(json, ports, true);
}

VolumeMount ParseMount(const JsonReader& json) {
  VolumeMount mount;
  mount.volume = json.Str("name");
  mount.path = json.Str("mountPath");
  if (mount.path.empty() || mount.path.size() > 4096 || absl::StrContains(mount.path, ":") ||
      absl::StrContains(mount.path, '\0'))
    json.Refuse(json.Path("mountPath"), "must be a path without ':'");
  if (!absl::StartsWith(mount.path, "/")) mount.path = "/" + mount.path;
  mount.sub_path = json.Str("subPath");
  if (json.Has("subPathExpr")) {
    mount.sub_path = json.Str("subPathExpr");
    mount.sub_path_expands = true;
  }
  if (!mount.sub_path.empty() && !IsInnerPath(mount.sub_path))
    json.Refuse(json.Path("subPath"), "must be a relative path without '..'");
  mount.read_only = json.Bool("readOnly");
  const std::string propagation = json.Str("mountPropagation");
  if (propagation == "HostToContainer")
    mount.propagation = VolumeMount::Propagation::kHostToContainer;
  if (propagation == "Bidirectional") mount.propagation = VolumeMount::Propagation::kBidirectional;
  return mount;
}

// "Always" for :latest and no tag, else "IfNotPresent", as the API server's default.
std::string DefaultPullPolicy(const std::string& image) {
  const size_t slash = image.rfind('/');
  const std::string last = slash == std::string::npos ? image : image.substr(slash + 1);
  if (absl::StrContains(last, "@")) return "IfNotPresent";
  const size_t colon = last.find(':');
  return colon == std::string::npos || last.substr(colon + 1) == "latest" ? "Always"
                                                                          : "IfNotPresent";
}

}  // namespace

__int128 ParseQuantityField(const JsonReader& json, const char* name) {
  const nlohmann::json* value = json.Find(name);
  if (value == nullptr) return 0;
  std::string text;
  if (value->is_string()) text = value->get<std::string>();
  if (value->is_number()) text = value->dump();
  const absl::StatusOr<__int128> parsed = ParseQuantity(text);
  if (!parsed.ok()) {
    json.Refuse(json.Path(name), parsed.status().message());
    return 0;
  }
  return *parsed;
}

SecurityContext ParseSecurityContext(const JsonReader& json, const SecurityContext& inherited) {
  SecurityContext out = inherited;
  if (!json.present()) return out;
  constexpr int64_t kIdMax = 2147483647;
  if (const auto user = json.Int("runAsUser", 0, kIdMax)) out.run_as_user = user;
  if (const auto group = json.Int("runAsGroup", 0, kIdMax)) out.run_as_group = group;
  if (json.Has("runAsNonRoot")) out.run_as_non_root = json.Bool("runAsNonRoot");
  out.read_only_root = json.Bool("readOnlyRootFilesystem");
  out.privileged = json.Bool("privileged");
  out.no_new_privileges =
      json.Has("allowPrivilegeEscalation") && !json.Bool("allowPrivilegeEscalation");
  out.unmasked_proc = json.Str("procMount") == "Unmasked";
  const JsonReader capabilities = json.Object("capabilities");
  out.add_capabilities = capabilities.Strings("add");
  out.drop_capabilities = capabilities.Strings("drop");
  if (const JsonReader seccomp = json.Object("seccompProfile"); seccomp.present()) {
    out.seccomp_type = seccomp.Str("type");
    out.seccomp_localhost = seccomp.Str("localhostProfile");
    if (!out.seccomp_localhost.empty() && !IsInnerPath(out.seccomp_localhost))
      json.Refuse(seccomp.Path("localhostProfile"), "must be a relative path without '..'");
  }
  return out;
}

ContainerSpec ParseContainer(const JsonReader& json, const SecurityContext& pod) {
  ContainerSpec c;
  c.name = json.Str("name");
  if (!IsDns1123Label(c.name)) json.Refuse(json.Path("name"), "must be an RFC 1123 label");
  c.image = json.Str("image");
  c.pull_policy = json.Str("imagePullPolicy", DefaultPullPolicy(c.image));
  c.command = json.Strings("command");
  c.args = json.Strings("args");
  c.working_dir = json.Str("workingDir");
  c.stdin_open = json.Bool("stdin");
  c.stdin_once = json.Bool("stdinOnce");
  c.tty = json.Bool("tty");
  json.Each("env", [&](const JsonReader& env) { ParseEnv(env, c.env.emplace_back()); });
  json.Each("envFrom", [&](const JsonReader& from) {
    EnvFrom& env = c.env_from.emplace_back();
    env.prefix = from.Str("prefix");
    env.secret = from.Has("secretRef");
    const JsonReader ref = from.Object(env.secret ? "secretRef" : "configMapRef");
    env.object = ref.Str("name");
    env.optional = ref.Bool("optional");
  });
  json.Each("ports", [&](const JsonReader& port) {
    ContainerPort& p = c.ports.emplace_back();
    p.name = port.Str("name");
    p.host_ip = port.Str("hostIP");
    p.protocol = port.Str("protocol", "TCP");
    p.container_port = static_cast<int32_t>(port.Int("containerPort", 1, 65535).value_or(0));
    p.host_port = static_cast<int32_t>(port.Int("hostPort", 0, 65535).value_or(0));
  });
  json.Each("volumeMounts",
            [&](const JsonReader& mount) { c.mounts.push_back(ParseMount(mount)); });
  if (json.Has("volumeDevices"))
    json.Refuse(json.Path("volumeDevices"), "is not supported on this node");
  const JsonReader resources = json.Object("resources");
  c.resources.limits = ParseResourceList(resources, "limits");
  c.resources.requests = ParseResourceList(resources, "requests");
  for (const auto& [resource, amount] : c.resources.limits)
    c.resources.requests.emplace(resource, amount);
  c.liveness = ParseProbe(json.Object("livenessProbe"), c.ports);
  c.readiness = ParseProbe(json.Object("readinessProbe"), c.ports);
  c.startup = ParseProbe(json.Object("startupProbe"), c.ports);
  const JsonReader lifecycle = json.Object("lifecycle");
  c.post_start = ParseHook(lifecycle.Object("postStart"), c.ports);
  c.pre_stop = ParseHook(lifecycle.Object("preStop"), c.ports);
  c.termination_message_path = json.Str("terminationMessagePath", c.termination_message_path);
  if (c.termination_message_path.empty()) c.termination_message_path = "/dev/termination-log";
  if (c.termination_message_path[0] != '/' || absl::StrContains(c.termination_message_path, '\0'))
    json.Refuse(json.Path("terminationMessagePath"), "must be an absolute path");
  c.message_falls_back_to_logs = json.Str("terminationMessagePolicy") == "FallbackToLogsOnError";
  c.security = ParseSecurityContext(json.Object("securityContext"), pod);
  return c;
}

}  // namespace skerry::edged
