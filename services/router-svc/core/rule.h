// What a Rule and its two RuleEndpoints say together.
#ifndef SKERRY_SERVICES_ROUTER_SVC_CORE_RULE_H_
#define SKERRY_SERVICES_ROUTER_SVC_CORE_RULE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::router {

enum class EndpointType { kRest, kEventBus, kServiceBus };

// INVALID_ARGUMENT / RULE_ENDPOINT_INVALID.
absl::StatusOr<EndpointType> ParseEndpointType(absl::string_view text);

struct Endpoint {
  EndpointType type = EndpointType::kRest;
  std::map<std::string, std::string> properties;
};

struct RuleSpec {
  std::string name;  // "namespace/name".
  std::string uid;
  std::string source;  // Names of RuleEndpoints of its namespace.
  std::string target;
  std::map<std::string, std::string> source_resource;
  std::map<std::string, std::string> target_resource;
};

// Where the messages of a rule come from and go to. Which fields are set follows from the types.
struct Route {
  std::string rule;  // "namespace/name".
  std::string uid;
  EndpointType source = EndpointType::kRest;
  EndpointType target = EndpointType::kRest;

  std::vector<std::string> path;  // Of rest: segments; "{name}" is any one.
  std::string node;               // Of eventbus and servicebus.
  std::string topic_filter;       // Of eventbus: of the box's MQTT topics, "<namespace>/<topic>".
  std::string source_url;         // Of servicebus: what local programs name.

  std::string topic;        // To eventbus.
  std::string service_url;  // To servicebus: "http://127.0.0.1:<port><path>".
  std::string url;          // To rest.
};

// INVALID_ARGUMENT / RULE_INVALID names the field, its value and the fix; FAILED_PRECONDITION /
// RULE_ENDPOINT_MISSING where an endpoint (null) is not there.
absl::StatusOr<Route> Resolve(const RuleSpec& rule, const Endpoint* source, const Endpoint* target);

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_CORE_RULE_H_
