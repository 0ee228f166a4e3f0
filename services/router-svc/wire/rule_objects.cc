#include "services/router-svc/wire/rule_objects.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/json/json_reader.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/model/names.h"

namespace skerry::router {

using Json = nlohmann::json;

namespace {

// FNV-1a: the same in every process.
uint64_t Digest(absl::string_view text) {
  uint64_t digest = 14695981039346656037u;
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return digest;
}

}  // namespace

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

std::optional<BoxRule> ForBox(const KubeObject& rule) {
  const absl::StatusOr<RuleSpec> spec = ReadRule(rule);
  if (!spec.ok()) return std::nullopt;
  const auto node = spec->source_resource.find("node_name");
  if (node == spec->source_resource.end() || !NodeName::Parse(node->second).ok())
    return std::nullopt;
  Json object = {
      {"apiVersion", "rules.kubeedge.io/v1"},
      {"kind", "Rule"},
      {"metadata",
       {{"name", rule.name()}, {"namespace", rule.object_namespace()}, {"uid", rule.uid()}}},
      {"spec", {{"source", spec->source}, {"sourceResource", spec->source_resource}}}};
  const std::string version = absl::StrCat(Digest(kubeapi::DumpJson(object)));
  object["metadata"]["resourceVersion"] = version;
  absl::StatusOr<KubeObject> made = KubeObject::FromJson(std::move(object));
  if (!made.ok()) return std::nullopt;
  return BoxRule{.node = node->second, .object = *std::move(made)};
}

}  // namespace skerry::router
