// Which rule a message is for.
#ifndef SKERRY_SERVICES_ROUTER_SVC_CORE_ROUTE_TABLE_H_
#define SKERRY_SERVICES_ROUTER_SVC_CORE_ROUTE_TABLE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/router-svc/core/rule.h"

namespace skerry::router {

// A request of the cloud, as KubeEdge's users write it: "/<node>/<namespace>/<path…>[?query]".
struct RestTarget {
  std::string node;
  std::string object_namespace;
  std::vector<std::string> path;  // Segments, encoded as they came, no empty ones.
  std::string query;              // With its '?'.
};
// INVALID_ARGUMENT / URL_INVALID.
absl::StatusOr<RestTarget> ParseRestTarget(absl::string_view target);

struct RestMatch {
  const Route* route = nullptr;
  // Segments that are appended to the target: those beyond the rule's path; all where that has a
  // {name}, as with KubeEdge.
  std::vector<std::string> rest;
};

// The topic of a message that came by REST. INVALID_ARGUMENT / TOPIC_INVALID where its segments
// make none.
absl::StatusOr<std::string> TopicOf(const RestMatch& match);
// The URL, on the box, of a call that came by REST.
absl::StatusOr<std::string> ServiceUrlOf(const RestMatch& match, const RestTarget& target);

// Immutable: any thread may call it.
class RouteTable {
 public:
  explicit RouteTable(std::vector<Route> routes);
  RouteTable(const RouteTable&) = delete;  // It points into itself.
  RouteTable& operator=(const RouteTable&) = delete;

  // Of all rest rules of the namespace whose path the request's path begins with: the one with the
  // most segments; of equally many the one that has a literal first where the other has a {name};
  // then by name. Null: none.
  RestMatch FindRest(const RestTarget& target) const;
  // Rules of a node's MQTT messages, and of what its local programs post; by name.
  std::vector<const Route*> OfTopic(const std::string& node, absl::string_view topic) const;
  std::vector<const Route*> OfPost(const std::string& node, const std::string& target_url) const;

  const Route* Find(const std::string& rule) const;

 private:
  std::map<std::string, Route> routes_;                      // By rule.
  std::map<std::string, std::vector<const Route*>> rest_;    // By namespace, the best first.
  std::map<std::string, std::vector<const Route*>> topics_;  // By node.
  std::map<std::pair<std::string, std::string>, std::vector<const Route*>> posts_;  // By node, URL.
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_CORE_ROUTE_TABLE_H_
