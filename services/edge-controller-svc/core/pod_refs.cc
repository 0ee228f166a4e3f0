#include "services/edge-controller-svc/core/pod_refs.h"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::edgecontroller {
namespace {

using kubeapi::ArrayAt;
using kubeapi::JsonPath;
using kubeapi::StringAt;

class Collector {
 public:
  explicit Collector(std::string object_namespace) : namespace_(std::move(object_namespace)) {}

  void Add(const char* type, const std::string& name) {
    if (!name.empty()) refs_.insert({type, absl::StrCat(namespace_, "/", name)});
  }
  void AddAt(const char* type, const nlohmann::json& value, JsonPath path) {
    Add(type, StringAt(value, path));
  }
  void AddPullSecrets(const nlohmann::json& value, JsonPath path) {
    for (const nlohmann::json& secret : ArrayAt(value, path)) AddAt(kSecrets, secret, {"name"});
  }
  std::set<ObjectRef> Take() { return std::move(refs_); }

 private:
  const std::string namespace_;
  std::set<ObjectRef> refs_;
};

void AddContainer(const nlohmann::json& container, Collector& refs) {
  for (const nlohmann::json& variable : ArrayAt(container, {"env"})) {
    refs.AddAt(kConfigMaps, variable, {"valueFrom", "configMapKeyRef", "name"});
    refs.AddAt(kSecrets, variable, {"valueFrom", "secretKeyRef", "name"});
  }
  for (const nlohmann::json& source : ArrayAt(container, {"envFrom"})) {
    refs.AddAt(kConfigMaps, source, {"configMapRef", "name"});
    refs.AddAt(kSecrets, source, {"secretRef", "name"});
  }
}

void AddVolume(const nlohmann::json& volume, Collector& refs) {
  refs.AddAt(kConfigMaps, volume, {"configMap", "name"});
  refs.AddAt(kSecrets, volume, {"secret", "secretName"});
  for (const nlohmann::json& source : ArrayAt(volume, {"projected", "sources"})) {
    refs.AddAt(kConfigMaps, source, {"configMap", "name"});
    refs.AddAt(kSecrets, source, {"secret", "name"});
  }
  refs.AddAt(kSecrets, volume, {"csi", "nodePublishSecretRef", "name"});
  for (const char* driver : {"cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"}) {
    refs.AddAt(kSecrets, volume, {driver, "secretRef", "name"});
  }
  refs.AddAt(kSecrets, volume, {"azureFile", "secretName"});
}

}  // namespace

std::set<ObjectRef> RefsOfPod(const nlohmann::json& pod) {
  Collector refs(StringAt(pod, {"metadata", "namespace"}));
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
    for (const nlohmann::json& container : ArrayAt(pod, {"spec", list}))
      AddContainer(container, refs);
  }
  for (const nlohmann::json& volume : ArrayAt(pod, {"spec", "volumes"})) AddVolume(volume, refs);
  refs.AddPullSecrets(pod, {"spec", "imagePullSecrets"});
  refs.AddAt(kServiceAccounts, pod, {"spec", "serviceAccountName"});
  return refs.Take();
}

std::set<ObjectRef> RefsOfServiceAccount(const nlohmann::json& service_account) {
  Collector refs(StringAt(service_account, {"metadata", "namespace"}));
  refs.AddPullSecrets(service_account, {"imagePullSecrets"});
  return refs.Take();
}

}  // namespace skerry::edgecontroller
