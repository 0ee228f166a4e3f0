#include "services/lib/model/kube_object.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry {

absl::StatusOr<KubeObject> KubeObject::Parse(absl::string_view text) {
  SKERRY_ASSIGN_OR_RETURN(nlohmann::json value, kubeapi::ParseJson(text));
  return FromJson(std::move(value));
}

absl::StatusOr<KubeObject> KubeObject::FromJson(nlohmann::json value) {
  auto data = std::make_shared<Data>();
  data->name = kubeapi::StringAt(value, {"metadata", "name"});
  if (data->name.empty()) {
    return Error(absl::StatusCode::kInvalidArgument,
                 "not a Kubernetes object: metadata.name is missing")
        .Reason("OBJECT_MALFORMED");
  }
  kubeapi::ErasePath(value, {"metadata", "managedFields"});
  data->api_version = kubeapi::StringAt(value, {"apiVersion"});
  data->kind = kubeapi::StringAt(value, {"kind"});
  data->object_namespace = kubeapi::StringAt(value, {"metadata", "namespace"});
  data->key = data->object_namespace.empty()
                  ? data->name
                  : absl::StrCat(data->object_namespace, "/", data->name);
  data->uid = kubeapi::StringAt(value, {"metadata", "uid"});
  data->resource_version = kubeapi::StringAt(value, {"metadata", "resourceVersion"});
  data->deleting = !kubeapi::StringAt(value, {"metadata", "deletionTimestamp"}).empty();
  data->text = kubeapi::DumpJson(value);
  return KubeObject(std::move(data));
}

nlohmann::json KubeObject::Json() const {
  return nlohmann::json::parse(data_->text, nullptr, /*allow_exceptions=*/false);
}

}  // namespace skerry
