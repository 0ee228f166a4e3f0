#include "services/router-svc/wire/rule_objects.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/string_view.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/json/json_reader.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::router {

using Json = nlohmann::json;

absl::StatusOr<RuleSpec> ReadRule(const KubeObject& object) {
  const Json json = object.Json();
  absl::Status status;
  const JsonReader spec = JsonReader(json, "RULE_INVALID", status).Object("spec");
  RuleSpec rule{.name = object.key(),
                .uid = object.uid(),
                .source = spec.RequiredStr("source"),
                .target = spec.RequiredStr("target"),
                .source_resource = spec.StringMap("sourceResource"),
                .target_resource = spec.StringMap("targetResource")};
  SKERRY_RETURN_IF_ERROR(status);
  return rule;
}

absl::StatusOr<Endpoint> ReadEndpoint(const KubeObject& object) {
  const Json json = object.Json();
  absl::Status status;
  const JsonReader spec = JsonReader(json, "RULE_ENDPOINT_INVALID", status).Object("spec");
  const std::string type = spec.RequiredStr("ruleEndpointType");
  Endpoint endpoint{.properties = spec.StringMap("properties")};
  SKERRY_RETURN_IF_ERROR(status);
  SKERRY_ASSIGN_OR_RETURN(endpoint.type, ParseEndpointType(type));
  return endpoint;
}

RuleStatus ReadRuleStatus(const KubeObject& object) {
  const Json json = object.Json();
  RuleStatus status{
      .success_messages = std::max<int64_t>(0, kubeapi::IntAt(json, {"status", "successMessages"})),
      .fail_messages = std::max<int64_t>(0, kubeapi::IntAt(json, {"status", "failMessages"}))};
  const Json& errors = kubeapi::ArrayAt(json, {"status", "errors"});
  if (!errors.empty() && errors.back().is_string()) status.error = errors.back().get<std::string>();
  return status;
}

std::string RuleStatusPatch(const RuleCounters::Change& change) {
  Json errors = Json::array();
  if (!change.status.error.empty()) errors.push_back(change.status.error);
  return kubeapi::DumpJson({{"metadata", {{"uid", change.uid}}},
                            {"status",
                             {{"successMessages", change.status.success_messages},
                              {"failMessages", change.status.fail_messages},
                              {"errors", std::move(errors)}}}});
}

}  // namespace skerry::router
