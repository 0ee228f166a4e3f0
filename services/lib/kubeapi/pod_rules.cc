#include "services/lib/kubeapi/pod_rules.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/kubeapi/meta_validation.h"

namespace skerry::kubeapi {
namespace {

// The pull policy of an image without one: Always for ":latest" and for no tag.
std::string PullPolicy(absl::string_view image) {
  if (absl::StrContains(image, "@")) return "IfNotPresent";
  const size_t slash = image.rfind('/');
  const absl::string_view last = slash == absl::string_view::npos ? image : image.substr(slash + 1);
  const size_t colon = last.find(':');
  return colon == absl::string_view::npos || last.substr(colon + 1) == "latest" ? "Always"
                                                                                : "IfNotPresent";
}

void DefaultContainer(Json& container, bool host_network) {
  if (!container.is_object()) return;
  if (StringAt(container, {"imagePullPolicy"}).empty()) {
    container["imagePullPolicy"] = PullPolicy(StringAt(container, {"image"}));
  }
  if (FindPath(container, {"resources"}) == nullptr) container["resources"] = Json::object();
  const Json limits = ObjectAt(container, {"resources", "limits"});
  for (const auto& [name, quantity] : limits.items()) {
    if (FindPath(container, {"resources", "requests", name}) == nullptr) {
      SetPath(container, {"resources", "requests", name}, quantity);
    }
  }
  const auto ports = container.find("ports");
  if (!host_network || ports == container.end() || !ports->is_array()) return;
  for (Json& port : *ports) {
    if (IntAt(port, {"hostPort"}) == 0) port["hostPort"] = IntAt(port, {"containerPort"});
  }
}

class PodValidator {
 public:
  PodValidator(const Json& pod, std::vector<FieldError>& errors)
      : spec_(ObjectAt(pod, {"spec"})), errors_(errors) {}

  void Run(const Json& pod) {
    if (FindPath(pod, {"spec"}) == nullptr) {
      errors_.push_back(FieldRequired("spec.containers"));
      return;
    }
    Volumes();
    Containers("initContainers");
    Containers("containers");
    Tolerations();
    const std::string node = StringAt(spec_, {"nodeName"});
    if (!node.empty() && !IsDnsSubdomain(node)) {
      errors_.push_back(FieldInvalid("spec.nodeName", node, kDnsSubdomainText));
    }
    const std::string account = StringAt(spec_, {"serviceAccountName"});
    if (!account.empty() && !IsDnsSubdomain(account)) {
      errors_.push_back(FieldInvalid("spec.serviceAccountName", account, kDnsSubdomainText));
    }
    for (const auto& [key, value] : ObjectAt(spec_, {"nodeSelector"}).items()) {
      if (!IsQualifiedName(key))
        errors_.push_back(FieldInvalid("spec.nodeSelector", key, "is no label key"));
    }
    if (BoolAt(spec_, {"hostPID"}) && BoolAt(spec_, {"shareProcessNamespace"})) {
      errors_.push_back(FieldInvalid("spec.shareProcessNamespace", true,
                                     "ShareProcessNamespace and HostPID cannot both be enabled"));
    }
    NodeAffinity();
  }

 private:
  void Volumes() {
    const Json& volumes = ArrayAt(spec_, {"volumes"});
    for (size_t i = 0; i < volumes.size(); ++i) {
      const std::string path = absl::StrCat("spec.volumes[", i, "]");
      const std::string name = StringAt(volumes[i], {"name"});
      if (!name.empty() && !IsDnsLabel(name)) {
        errors_.push_back(FieldInvalid(path + ".name", name, kDnsLabelText));
      }
      if (!name.empty() && !volumes_.insert(name).second)
        errors_.push_back(FieldDuplicate(path + ".name", name));
      const size_t sources =
          volumes[i].is_object() ? volumes[i].size() - (volumes[i].contains("name") ? 1 : 0) : 0;
      if (sources == 0) errors_.push_back(FieldRequired(path, "must specify a volume type"));
      if (sources > 1)
        errors_.push_back(FieldForbidden(path, "may not specify more than 1 volume type"));
      if (FindPath(volumes[i], {"secret"}) != nullptr &&
          StringAt(volumes[i], {"secret", "secretName"}).empty()) {
        errors_.push_back(FieldRequired(path + ".secret.secretName"));
      }
      if (FindPath(volumes[i], {"configMap"}) != nullptr &&
          StringAt(volumes[i], {"configMap", "name"}).empty()) {
        errors_.push_back(FieldRequired(path + ".configMap.name"));
      }
      for (const char* source : {"configMap", "secret"}) {
        const Json& items = ArrayAt(volumes[i], {source, "items"});
        for (size_t k = 0; k < items.size(); ++k) {
          RelativePath(absl::StrCat(path, ".", source, ".items[", k, "].path"),
                       StringAt(items[k], {"path"}));
        }
      }
    }
  }

  void RelativePath(const std::string& field, const std::string& path) {
    if (absl::StartsWith(path, "/"))
      errors_.push_back(FieldInvalid(field, path, "must be a relative path"));
    if (path == ".." || absl::StartsWith(path, "../") || absl::EndsWith(path, "/..") ||
        absl::StrContains(path, "/../")) {
      errors_.push_back(FieldInvalid(field, path, "must not contain '..'"));
    }
  }

  void Containers(const char* list) {
    const Json& containers = ArrayAt(spec_, {list});
    for (size_t i = 0; i < containers.size(); ++i) {
      Container(containers[i], absl::StrCat("spec.", list, "[", i, "]"));
    }
  }

  void Container(const Json& container, const std::string& path) {
    const std::string name = StringAt(container, {"name"});
    if (!name.empty() && !IsDnsLabel(name))
      errors_.push_back(FieldInvalid(path + ".name", name, kDnsLabelText));
    if (!name.empty() && !names_.insert(name).second)
      errors_.push_back(FieldDuplicate(path + ".name", name));
    const std::string image = StringAt(container, {"image"});
    if (image.empty()) {
      errors_.push_back(FieldRequired(path + ".image"));
    } else if (image != absl::StripAsciiWhitespace(image)) {
      errors_.push_back(
          FieldInvalid(path + ".image", image, "must not have leading or trailing whitespace"));
    }
    Ports(container, path);
    Env(container, path);
    Mounts(container, path);
    for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) {
      const Json* value = FindPath(container, {probe});
      if (value == nullptr) continue;
      int handlers = 0;
      for (const char* handler : {"exec", "httpGet", "tcpSocket", "grpc"}) {
        if (FindPath(*value, {handler}) != nullptr) ++handlers;
      }
      const std::string field = absl::StrCat(path, ".", probe);
      if (handlers == 0) errors_.push_back(FieldRequired(field, "must specify a handler type"));
      if (handlers > 1)
        errors_.push_back(FieldForbidden(field, "may not specify more than 1 handler type"));
    }
  }

  void Ports(const Json& container, const std::string& path) {
    const Json& ports = ArrayAt(container, {"ports"});
    std::set<std::string> port_names;
    for (size_t i = 0; i < ports.size(); ++i) {
      const std::string name = StringAt(ports[i], {"name"});
      const std::string field = absl::StrCat(path, ".ports[", i, "].name");
      if (name.empty()) continue;
      if (!IsDnsLabel(name) || name.size() > 15) {
        errors_.push_back(FieldInvalid(field, name, "must be no more than 15 characters"));
      }
      if (!port_names.insert(name).second) errors_.push_back(FieldDuplicate(field, name));
    }
  }

  void Env(const Json& container, const std::string& path) {
    const Json& env = ArrayAt(container, {"env"});
    for (size_t i = 0; i < env.size(); ++i) {
      const std::string field = absl::StrCat(path, ".env[", i, "]");
      const std::string name = StringAt(env[i], {"name"});
      if (!name.empty() && !IsEnvName(name)) {
        errors_.push_back(FieldInvalid(field + ".name", name,
                                       "a valid environment variable name must consist only of "
                                       "printable ASCII characters other than '='"));
      }
      const Json* from = FindPath(env[i], {"valueFrom"});
      if (from == nullptr) continue;
      if (!StringAt(env[i], {"value"}).empty()) {
        errors_.push_back(FieldInvalid(field + ".valueFrom", "",
                                       "may not be specified when `value` is not empty"));
      }
      if (from->size() != 1) {
        errors_.push_back(
            FieldInvalid(field + ".valueFrom", "",
                         from->empty() ? "must specify one of: `fieldRef`, `resourceFieldRef`, "
                                         "`configMapKeyRef` or `secretKeyRef`"
                                       : "may not have more than one field specified at a time"));
      }
    }
  }

  void Mounts(const Json& container, const std::string& path) {
    const Json& mounts = ArrayAt(container, {"volumeMounts"});
    std::set<std::string> paths;
    for (size_t i = 0; i < mounts.size(); ++i) {
      const std::string field = absl::StrCat(path, ".volumeMounts[", i, "]");
      const std::string name = StringAt(mounts[i], {"name"});
      if (!name.empty() && volumes_.count(name) == 0)
        errors_.push_back(FieldNotFound(field + ".name", name));
      const std::string mount_path = StringAt(mounts[i], {"mountPath"});
      if (!mount_path.empty() && !paths.insert(mount_path).second) {
        errors_.push_back(FieldInvalid(field + ".mountPath", mount_path, "must be unique"));
      }
      RelativePath(field + ".subPath", StringAt(mounts[i], {"subPath"}));
    }
  }

  void Tolerations() {
    const Json& tolerations = ArrayAt(spec_, {"tolerations"});
    for (size_t i = 0; i < tolerations.size(); ++i) {
      const std::string field = absl::StrCat("spec.tolerations[", i, "]");
      const std::string key = StringAt(tolerations[i], {"key"});
      const std::string op = StringAt(tolerations[i], {"operator"});
      if (key.empty() && op != "Exists") {
        errors_.push_back(FieldInvalid(field + ".operator", op,
                                       "operator must be Exists when `key` is empty, which means "
                                       "\"match all values and all keys\""));
      }
      if (op == "Exists" && !StringAt(tolerations[i], {"value"}).empty()) {
        errors_.push_back(FieldInvalid(field + ".operator", tolerations[i],
                                       "value must be empty when `operator` is 'Exists'"));
      }
    }
  }

  void NodeAffinity() {
    const Json* required = FindPath(
        spec_, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
    if (required == nullptr) return;
    const Json& terms = ArrayAt(*required, {"nodeSelectorTerms"});
    for (size_t i = 0; i < terms.size(); ++i) {
      const Json& expressions = ArrayAt(terms[i], {"matchExpressions"});
      for (size_t k = 0; k < expressions.size(); ++k) {
        const std::string op = StringAt(expressions[k], {"operator"});
        const size_t values = ArrayAt(expressions[k], {"values"}).size();
        const std::string field = absl::StrCat(
            "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution."
            "nodeSelectorTerms[",
            i, "].matchExpressions[", k, "].values");
        if ((op == "In" || op == "NotIn") && values == 0) {
          errors_.push_back(
              FieldRequired(field, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        if ((op == "Exists" || op == "DoesNotExist") && values > 0) {
          errors_.push_back(FieldForbidden(
              field, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
        }
      }
    }
  }

  const Json& spec_;
  std::vector<FieldError>& errors_;
  std::set<std::string> volumes_;
  std::set<std::string> names_;
};

}  // namespace

void PreparePod(Json& pod, const Json* old) {
  if (old != nullptr) return;
  pod["status"] = {{"phase", "Pending"}, {"qosClass", QosClass(pod)}};
}

void DefaultPod(Json& pod) {
  const auto spec = pod.find("spec");
  if (spec == pod.end() || !spec->is_object()) return;
  const bool host_network = BoolAt(*spec, {"hostNetwork"});
  for (const char* list : {"initContainers", "containers"}) {
    const auto containers = spec->find(list);
    if (containers == spec->end() || !containers->is_array()) continue;
    for (Json& container : *containers) DefaultContainer(container, host_network);
  }
  std::string account = StringAt(*spec, {"serviceAccountName"});
  if (account.empty()) account = StringAt(*spec, {"serviceAccount"});
  if (account.empty()) account = "default";
  (*spec)["serviceAccountName"] = account;
  (*spec)["serviceAccount"] = account;
  const auto volumes = spec->find("volumes");
  if (volumes == spec->end() || !volumes->is_array()) return;
  for (Json& volume : *volumes) {
    // As Kubernetes: a volume with a name alone is an emptyDir.
    if (volume.is_object() && volume.size() == 1 && volume.contains("name"))
      volume["emptyDir"] = Json::object();
  }
}

void ValidatePod(const Json& pod, std::vector<FieldError>& errors) {
  PodValidator(pod, errors).Run(pod);
}

void ValidatePodUpdate(const Json& pod, const Json& old, std::vector<FieldError>& errors) {
  Json expected = ObjectAt(old, {"spec"});
  const Json& now = ObjectAt(pod, {"spec"});
  for (const char* list : {"containers", "initContainers"}) {
    const Json& from = ArrayAt(now, {list});
    if (from.size() != ArrayAt(expected, {list}).size()) {
      errors.push_back(FieldForbidden(absl::StrCat("spec.", list),
                                      "pod updates may not add or remove containers"));
      return;
    }
    for (size_t i = 0; i < from.size(); ++i) {
      if (from[i].is_object() && from[i].contains("image"))
        expected[list][i]["image"] = from[i]["image"];
    }
  }
  for (const char* field : {"activeDeadlineSeconds", "terminationGracePeriodSeconds"}) {
    const bool grace = absl::string_view(field) == "terminationGracePeriodSeconds";
    if (grace && !(IntAt(expected, {field}) < 0 && IntAt(now, {field}) == 1)) continue;
    if (now.contains(field)) expected[field] = now[field];
  }
  const Json& before = ArrayAt(expected, {"tolerations"});
  const Json& after = ArrayAt(now, {"tolerations"});
  const bool kept = std::all_of(before.begin(), before.end(), [&](const Json& toleration) {
    return std::find(after.begin(), after.end(), toleration) != after.end();
  });
  if (kept && !after.empty()) expected["tolerations"] = after;
  if (expected != now) {
    errors.push_back(FieldForbidden(
        "spec",
        "pod updates may not change fields other than "
        "`spec.containers[*].image`,`spec.initContainers[*].image`,"
        "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
        "negative)"));
  }
}

std::string QosClass(const Json& pod) {
  bool any = false;
  bool guaranteed = true;
  for (const char* list : {"containers", "initContainers"}) {
    for (const Json& container : ArrayAt(pod, {"spec", list})) {
      const Json& requests = ObjectAt(container, {"resources", "requests"});
      const Json& limits = ObjectAt(container, {"resources", "limits"});
      for (const char* name : {"cpu", "memory"}) {
        const bool has_limit = limits.contains(name);
        const bool has_request = requests.contains(name);
        any = any || has_limit || has_request;
        guaranteed = guaranteed && has_limit && (!has_request || requests[name] == limits[name]);
      }
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

}  // namespace skerry::kubeapi
