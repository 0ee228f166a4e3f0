#include "services/router-svc/core/rule.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/router-svc/core/topic.h"

namespace skerry::router {
namespace {

using Resource = std::map<std::string, std::string>;

Error Invalid(absl::string_view field, absl::string_view value, absl::string_view fix) {
  return InvalidField(field, value.substr(0, 256), fix).Reason("RULE_INVALID");
}

absl::Status AsRuleError(absl::Status status) {
  if (!status.ok()) SetErrorInfo(status, {.reason = "RULE_INVALID"});
  return status;
}

absl::StatusOr<std::string> Required(absl::string_view field, const Resource& resource,
                                     const char* key) {
  const auto it = resource.find(key);
  if (it == resource.end() || it->second.empty())
    return Invalid(absl::StrCat(field, ".", key), "", "add it");
  return it->second;
}

const char* NameOf(EndpointType type) {
  switch (type) {
    case EndpointType::kRest:
      return "rest";
    case EndpointType::kEventBus:
      return "eventbus";
    case EndpointType::kServiceBus:
      return "servicebus";
  }
  return "";
}

// A "{name}" stands for one segment.
absl::StatusOr<std::vector<std::string>> ReadPath(const std::string& text) {
  constexpr char kField[] = "spec.sourceResource.path";
  absl::string_view path = text;
  absl::ConsumePrefix(&path, "/");
  absl::ConsumeSuffix(&path, "/");
  std::vector<std::string> segments;
  if (path.empty()) return segments;
  for (absl::string_view segment : absl::StrSplit(path, '/')) {
    const bool named = absl::StartsWith(segment, "{") && absl::EndsWith(segment, "}");
    const absl::string_view inner = named ? segment.substr(1, segment.size() - 2) : segment;
    if (inner.empty() || absl::StrContains(inner, '{') || absl::StrContains(inner, '}') ||
        !ParseHttpPath(kField, absl::StrCat("/", inner)).ok() || absl::StrContains(inner, '?')) {
      return Invalid(kField, text, "use segments as of a URL's path, or {name} for any one");
    }
    segments.emplace_back(segment);
  }
  return segments;
}

absl::Status ReadNode(const Resource& resource, Route& route) {
  SKERRY_ASSIGN_OR_RETURN(route.node, Required("spec.sourceResource", resource, "node_name"));
  if (NodeName::Parse(route.node).ok()) return absl::OkStatus();
  return Invalid("spec.sourceResource.node_name", route.node, "use the name of a node");
}

absl::Status ReadSource(const RuleSpec& rule, Route& route) {
  constexpr char kField[] = "spec.sourceResource";
  switch (route.source) {
    case EndpointType::kRest: {
      const auto path = rule.source_resource.find("path");
      if (path == rule.source_resource.end())
        return Invalid("spec.sourceResource.path", "", "add it");
      SKERRY_ASSIGN_OR_RETURN(route.path, ReadPath(path->second));
      return absl::OkStatus();
    }
    case EndpointType::kEventBus: {
      SKERRY_RETURN_IF_ERROR(ReadNode(rule.source_resource, route));
      SKERRY_ASSIGN_OR_RETURN(const std::string topic,
                              Required(kField, rule.source_resource, "topic"));
      route.topic_filter =
          absl::StrCat(absl::string_view(rule.name).substr(0, rule.name.find('/')), "/", topic);
      return AsRuleError(CheckTopicFilter("spec.sourceResource.topic", route.topic_filter));
    }
    case EndpointType::kServiceBus: {
      SKERRY_RETURN_IF_ERROR(ReadNode(rule.source_resource, route));
      SKERRY_ASSIGN_OR_RETURN(route.source_url,
                              Required(kField, rule.source_resource, "target_url"));
      return AsRuleError(ParseHttpUrl("spec.sourceResource.target_url", route.source_url).status());
    }
  }
  return absl::InternalError("unknown endpoint type");
}

absl::Status ReadService(const RuleSpec& rule, const Endpoint& endpoint, Route& route) {
  constexpr char kField[] = "spec.targetResource.path";
  const auto port = endpoint.properties.find("service_port");
  int number = 0;
  if (port == endpoint.properties.end() || !absl::SimpleAtoi(port->second, &number) || number < 1 ||
      number > 65535) {
    return Invalid(absl::StrCat("properties.service_port of RuleEndpoint ", rule.target),
                   port == endpoint.properties.end() ? "" : port->second,
                   "use the port of a service of the box, 1 to 65535");
  }
  const absl::StatusOr<std::string> path =
      Required("spec.targetResource", rule.target_resource, "path");
  if (!path.ok()) return path.status();
  const absl::StatusOr<HttpUrl> url =
      ParseHttpPath(kField, absl::StrCat(absl::StartsWith(*path, "/") ? "" : "/", *path));
  if (!url.ok()) return AsRuleError(url.status());
  if (!url->query.empty()) return Invalid(kField, *path, "leave out the query");
  route.service_url = absl::StrCat("http://127.0.0.1:", number, url->path);
  return absl::OkStatus();
}

absl::Status ReadTarget(const RuleSpec& rule, const Endpoint& endpoint, Route& route) {
  constexpr char kField[] = "spec.targetResource";
  switch (route.target) {
    case EndpointType::kRest: {
      SKERRY_ASSIGN_OR_RETURN(const std::string url,
                              Required(kField, rule.target_resource, "resource"));
      const absl::StatusOr<HttpUrl> parsed = ParseHttpUrl("spec.targetResource.resource", url);
      if (!parsed.ok()) return AsRuleError(parsed.status());
      route.url = ToText(*parsed);
      return absl::OkStatus();
    }
    case EndpointType::kEventBus: {
      SKERRY_ASSIGN_OR_RETURN(route.topic, Required(kField, rule.target_resource, "topic"));
      return AsRuleError(CheckTopic("spec.targetResource.topic", route.topic));
    }
    case EndpointType::kServiceBus:
      return ReadService(rule, endpoint, route);
  }
  return absl::InternalError("unknown endpoint type");
}

absl::Status Missing(const RuleSpec& rule, absl::string_view field, const std::string& name) {
  return Error(absl::StatusCode::kFailedPrecondition,
               absl::StrCat(field, " names RuleEndpoint \"", name.substr(0, 253),
                            "\", which is not in namespace ",
                            absl::string_view(rule.name).substr(0, rule.name.find('/')),
                            ", or not valid: create it"))
      .Reason("RULE_ENDPOINT_MISSING");
}

}  // namespace

absl::StatusOr<EndpointType> ParseEndpointType(absl::string_view text) {
  for (const EndpointType type :
       {EndpointType::kRest, EndpointType::kEventBus, EndpointType::kServiceBus}) {
    if (text == NameOf(type)) return type;
  }
  return InvalidField("spec.ruleEndpointType", text.substr(0, 64),
                      "use rest, eventbus or servicebus")
      .Reason("RULE_ENDPOINT_INVALID");
}

absl::StatusOr<Route> Resolve(const RuleSpec& rule, const Endpoint* source,
                              const Endpoint* target) {
  if (source == nullptr) return Missing(rule, "spec.source", rule.source);
  if (target == nullptr) return Missing(rule, "spec.target", rule.target);
  // What comes from the cloud goes to a box, and what comes from a box to the cloud.
  if ((source->type == EndpointType::kRest) == (target->type == EndpointType::kRest)) {
    return Invalid("spec.target", absl::StrCat(NameOf(source->type), " to ", NameOf(target->type)),
                   "use rest to eventbus or servicebus, or eventbus or servicebus to rest");
  }
  Route route{.rule = rule.name, .uid = rule.uid, .source = source->type, .target = target->type};
  SKERRY_RETURN_IF_ERROR(ReadSource(rule, route));
  SKERRY_RETURN_IF_ERROR(ReadTarget(rule, *target, route));
  return route;
}

}  // namespace skerry::router
