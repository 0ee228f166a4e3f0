#include "services/lib/kubeapi/built_in.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/meta_validation.h"
#include "services/lib/kubeapi/pod_rules.h"
#include "services/lib/kubeapi/printers.h"
#include "services/lib/kubeapi/types/declarations.h"

namespace skerry::kubeapi {
namespace {

constexpr char kCore[] = "io.k8s.api.core.v1.";
constexpr size_t kDataBytesMax = 1u << 20;

Resource Core(const char* kind, const char* plural, const char* singular,
              std::vector<std::string> short_names) {
  Resource r;
  r.version = "v1";
  r.kind = kind;
  r.plural = plural;
  r.singular = singular;
  r.short_names = std::move(short_names);
  return r;
}

// --- namespaces ---

void PrepareNamespace(Json& ns, const Json* old) {
  if (old == nullptr) {
    ns["spec"]["finalizers"] = {"kubernetes"};
    ns["status"] = {{"phase", "Active"}};
  } else {
    ns["spec"] = ObjectAt(*old, {"spec"});  // Only through /finalize.
  }
  ns["metadata"]["labels"]["kubernetes.io/metadata.name"] = StringAt(ns, {"metadata", "name"});
}

// --- configmaps and secrets ---

size_t ValidateKeys(const Json& object, const char* field, std::vector<FieldError>& errors) {
  size_t bytes = 0;
  for (const auto& [key, value] : ObjectAt(object, {field}).items()) {
    if (!IsConfigKey(key)) {
      errors.push_back(FieldInvalid(
          absl::StrCat(field, "[", key, "]"), key,
          "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. "
          "'key.name',  or "
          "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"));
    }
    if (value.is_string()) bytes += value.get_ref<const std::string&>().size();
  }
  return bytes;
}

void ValidateConfigMap(const Json& map, std::vector<FieldError>& errors) {
  const size_t bytes = ValidateKeys(map, "data", errors) + ValidateKeys(map, "binaryData", errors);
  for (const auto& [key, value] : ObjectAt(map, {"binaryData"}).items()) {
    if (FindPath(map, {"data", key}) != nullptr) {
      errors.push_back(FieldInvalid(absl::StrCat("data[", key, "]"), key,
                                    "duplicate of key present in binaryData"));
    }
  }
  if (bytes > kDataBytesMax) errors.push_back(FieldTooLong("", kDataBytesMax));
}

void ValidateImmutable(const Json& object, const Json& old, std::vector<FieldError>& errors) {
  if (!BoolAt(old, {"immutable"})) return;
  if (!BoolAt(object, {"immutable"})) {
    errors.push_back(FieldForbidden("immutable", "field is immutable when `immutable` is set"));
  }
  for (const char* field : {"data", "binaryData"}) {
    if (ObjectAt(object, {field}) != ObjectAt(old, {field})) {
      errors.push_back(FieldForbidden(field, "field is immutable when `immutable` is set"));
    }
  }
}

// stringData is written into data and never read back.
void PrepareSecret(Json& secret, const Json* old) {
  const Json plain = ObjectAt(secret, {"stringData"});
  for (const auto& [key, value] : plain.items()) {
    if (value.is_string())
      SetPath(secret, {"data", key}, absl::Base64Escape(value.get<std::string>()));
  }
  secret.erase("stringData");
}

void ValidateSecret(const Json& secret, std::vector<FieldError>& errors) {
  if (ValidateKeys(secret, "data", errors) > kDataBytesMax * 4 / 3) {
    errors.push_back(FieldTooLong("data", kDataBytesMax));
  }
  const std::string type = StringAt(secret, {"type"});
  const auto need = [&](const char* key) {
    if (FindPath(secret, {"data", key}) == nullptr)
      errors.push_back(FieldRequired(absl::StrCat("data[", key, "]")));
  };
  if (type == "kubernetes.io/tls") {
    need("tls.crt");
    need("tls.key");
  } else if (type == "kubernetes.io/dockerconfigjson") {
    need(".dockerconfigjson");
  } else if (type == "kubernetes.io/ssh-auth") {
    need("ssh-privatekey");
  }
}

void ValidateSecretUpdate(const Json& secret, const Json& old, std::vector<FieldError>& errors) {
  if (StringAt(secret, {"type"}) != StringAt(old, {"type"})) {
    errors.push_back(FieldInvalid("type", StringAt(secret, {"type"}), "field is immutable"));
  }
  ValidateImmutable(secret, old, errors);
}

// --- events, nodes, leases ---

void ValidateEvent(const Json& event, std::vector<FieldError>& errors) {
  const std::string about = StringAt(event, {"involvedObject", "namespace"});
  const std::string ns = StringAt(event, {"metadata", "namespace"});
  if (about.empty() ? ns != "default" : ns != about) {
    errors.push_back(
        FieldInvalid("involvedObject.namespace", about, "does not match event.namespace"));
  }
}

void ValidateNode(const Json& node, std::vector<FieldError>& errors) {
  const Json& taints = ArrayAt(node, {"spec", "taints"});
  for (size_t i = 0; i < taints.size(); ++i) {
    const std::string key = StringAt(taints[i], {"key"});
    if (!key.empty() && !IsQualifiedName(key)) {
      errors.push_back(
          FieldInvalid(absl::StrCat("spec.taints[", i, "].key"), key, "is no label key"));
    }
  }
}

void ValidateLease(const Json& lease, std::vector<FieldError>& errors) {
  const Json* seconds = FindPath(lease, {"spec", "leaseDurationSeconds"});
  if (seconds != nullptr && IntAt(lease, {"spec", "leaseDurationSeconds"}) <= 0) {
    errors.push_back(FieldInvalid("spec.leaseDurationSeconds", *seconds, "must be greater than 0"));
  }
  const Json* moves = FindPath(lease, {"spec", "leaseTransitions"});
  if (moves != nullptr && IntAt(lease, {"spec", "leaseTransitions"}) < 0) {
    errors.push_back(
        FieldInvalid("spec.leaseTransitions", *moves, "must be greater than or equal to 0"));
  }
}

Resource Namespaces() {
  Resource r = Core("Namespace", "namespaces", "namespace", {"ns"});
  r.namespaced = false;
  r.name_rule = NameRule::kLabel;
  r.subresources = {"status", "finalize"};
  r.selectable = {"status.phase"};
  r.prepare = PrepareNamespace;
  r.returns_deleted = true;
  return r;
}

Resource Nodes() {
  Resource r = Core("Node", "nodes", "node", {"no"});
  r.namespaced = false;
  r.subresources = {"status"};
  r.selectable = {"spec.unschedulable"};
  r.validate = ValidateNode;
  return r;
}

Resource Pods() {
  Resource r = Core("Pod", "pods", "pod", {"po"});
  r.categories = {"all"};
  r.subresources = {"status", "binding", "log", "exec", "attach", "portforward"};
  r.generation = true;
  r.graceful_deletion = true;
  r.returns_deleted = true;
  r.selectable = {
      "spec.nodeName",    "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
      "spec.hostNetwork", "status.phase",       "status.podIP",       "status.nominatedNodeName"};
  r.prepare = PreparePod;
  r.default_more = DefaultPod;
  r.validate = ValidatePod;
  r.validate_update = ValidatePodUpdate;
  return r;
}

Resource ConfigMaps() {
  Resource r = Core("ConfigMap", "configmaps", "configmap", {"cm"});
  r.validate = ValidateConfigMap;
  r.validate_update = ValidateImmutable;
  return r;
}

Resource Secrets() {
  Resource r = Core("Secret", "secrets", "secret", {});
  r.selectable = {"type"};
  r.prepare = PrepareSecret;
  r.validate = ValidateSecret;
  r.validate_update = ValidateSecretUpdate;
  return r;
}

Resource ServiceAccounts() {
  Resource r = Core("ServiceAccount", "serviceaccounts", "serviceaccount", {"sa"});
  r.returns_deleted = true;
  r.subresources = {"token"};
  return r;
}

Resource Events() {
  Resource r = Core("Event", "events", "event", {"ev"});
  r.selectable = {"involvedObject.kind",
                  "involvedObject.namespace",
                  "involvedObject.name",
                  "involvedObject.uid",
                  "involvedObject.apiVersion",
                  "involvedObject.resourceVersion",
                  "involvedObject.fieldPath",
                  "reason",
                  "reportingComponent",
                  "source",
                  "type"};
  r.validate = ValidateEvent;
  return r;
}

Resource Leases() {
  Resource r = Core("Lease", "leases", "lease", {});
  r.group = "coordination.k8s.io";
  r.unconditional_update = false;
  r.validate = ValidateLease;
  return r;
}

Resource AccessReviews() {
  Resource r =
      Core("SelfSubjectAccessReview", "selfsubjectaccessreviews", "selfsubjectaccessreview", {});
  r.group = "authorization.k8s.io";
  r.namespaced = false;
  r.virtual_ = true;
  return r;
}

Resource SelfReviews() {
  Resource r = Core("SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview", {});
  r.group = "authentication.k8s.io";
  r.namespaced = false;
  r.virtual_ = true;
  return r;
}

Resource TokenReviews() {
  Resource r = Core("TokenReview", "tokenreviews", "tokenreview", {});
  r.group = "authentication.k8s.io";
  r.namespaced = false;
  r.virtual_ = true;
  return r;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ResourceRegistry>> MakeBuiltInRegistry() {
  TypeTable types;
  for (const char* text : {kMetaTypes, kContainerTypes, kVolumeTypes, kPodTypes, kCoreTypes}) {
    absl::Status status = ParseTypes(text, types);
    if (!status.ok()) {
      return Error(absl::StatusCode::kInternal, absl::StrCat("the built-in types do not parse: ",
                                                             std::string(status.message())));
    }
  }
  std::vector<ResourcePtr> resources;
  for (Resource& r : std::vector<Resource>{
           Namespaces(), Nodes(), Pods(), ConfigMaps(), Secrets(), ServiceAccounts(), Events(),
           Leases(), AccessReviews(), SelfReviews(), TokenReviews(), CustomResourceDefinitions()}) {
    std::string package = kCore;
    if (r.group == "apiextensions.k8s.io") {
      package = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";
    } else if (!r.group.empty()) {
      package = absl::StrCat("io.k8s.api.", r.group.substr(0, r.group.find('.')), ".v1.");
    }
    const auto type = types.find(package + r.kind);
    if (type == types.end())
      return Error(absl::StatusCode::kInternal, absl::StrCat("no type for ", r.kind));
    r.schema = type->second;
    AddPrinter(r);
    resources.push_back(std::make_shared<const Resource>(std::move(r)));
  }
  return std::make_unique<ResourceRegistry>(std::move(resources), std::move(types));
}

}  // namespace skerry::kubeapi
