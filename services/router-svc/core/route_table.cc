#include "services/router-svc/core/route_table.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"
#include "services/router-svc/core/topic.h"

namespace skerry::router {
namespace {

bool IsName(absl::string_view segment) { return absl::StartsWith(segment, "{"); }

// Of two rules of a namespace, the one that is asked first.
bool IsBetter(const Route* a, const Route* b) {
  if (a->path.size() != b->path.size()) return a->path.size() > b->path.size();
  for (size_t i = 0; i < a->path.size(); ++i) {
    if (IsName(a->path[i]) != IsName(b->path[i])) return IsName(b->path[i]);
  }
  return a->rule < b->rule;
}

bool Begins(const std::vector<std::string>& path, const std::vector<std::string>& rule) {
  if (path.size() < rule.size()) return false;
  for (size_t i = 0; i < rule.size(); ++i) {
    if (!IsName(rule[i]) && rule[i] != path[i]) return false;
  }
  return true;
}

// Of a segment that ParseHttpPath has read: each % has two hex digits.
std::string Decode(absl::string_view segment) {
  std::string decoded;
  for (size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] == '%' && i + 2 < segment.size()) {
      decoded += absl::HexStringToBytes(segment.substr(i + 1, 2));
      i += 2;
    } else {
      decoded += segment[i];
    }
  }
  return decoded;
}

std::string NamespaceOf(const Route& route) { return route.rule.substr(0, route.rule.find('/')); }

}  // namespace

absl::StatusOr<RestTarget> ParseRestTarget(absl::string_view target) {
  SKERRY_ASSIGN_OR_RETURN(const HttpUrl url, ParseHttpPath("path", target));
  std::vector<std::string> segments = absl::StrSplit(url.path, '/', absl::SkipEmpty());
  if (segments.size() < 2) {
    return InvalidField("path", target.substr(0, 256), "use /<node>/<namespace>/<path>")
        .Reason("URL_INVALID");
  }
  return RestTarget{.node = segments[0],
                    .object_namespace = segments[1],
                    .path = {segments.begin() + 2, segments.end()},
                    .query = url.query};
}

absl::StatusOr<std::string> TopicOf(const RestMatch& match) {
  std::string topic = match.route->topic;
  for (const std::string& segment : match.rest) {
    absl::StrAppend(&topic, absl::EndsWith(topic, "/") ? "" : "/", Decode(segment));
  }
  SKERRY_RETURN_IF_ERROR(CheckTopic("topic", topic));
  return topic;
}

absl::StatusOr<std::string> ServiceUrlOf(const RestMatch& match, const RestTarget& target) {
  std::string url = match.route->service_url;
  if (!match.rest.empty()) {
    absl::StrAppend(&url, absl::EndsWith(url, "/") ? "" : "/", absl::StrJoin(match.rest, "/"));
  }
  absl::StrAppend(&url, target.query);
  SKERRY_RETURN_IF_ERROR(ParseHttpUrl("path", url).status());  // It may have become too long.
  return url;
}

RouteTable::RouteTable(std::vector<Route> routes) {
  for (Route& route : routes) {
    const std::string rule = route.rule;
    routes_[rule] = std::move(route);
  }
  for (const auto& [rule, route] : routes_) {
    if (route.source == EndpointType::kRest) rest_[NamespaceOf(route)].push_back(&route);
    if (route.source == EndpointType::kEventBus) topics_[route.node].push_back(&route);
    if (route.source == EndpointType::kServiceBus)
      posts_[{route.node, route.source_url}].push_back(&route);
  }
  for (auto& [name, rules] : rest_) std::sort(rules.begin(), rules.end(), IsBetter);
}

RestMatch RouteTable::FindRest(const RestTarget& target) const {
  const auto it = rest_.find(target.object_namespace);
  if (it == rest_.end()) return {};
  for (const Route* route : it->second) {
    if (!Begins(target.path, route->path)) continue;
    const bool named = std::any_of(route->path.begin(), route->path.end(), IsName);
    const size_t taken = named ? 0 : route->path.size();
    return {.route = route, .rest = {target.path.begin() + taken, target.path.end()}};
  }
  return {};
}

std::vector<const Route*> RouteTable::OfTopic(const std::string& node,
                                              absl::string_view topic) const {
  std::vector<const Route*> found;
  const auto it = topics_.find(node);
  if (it == topics_.end()) return found;
  for (const Route* route : it->second) {
    if (MatchesTopic(route->topic_filter, topic)) found.push_back(route);
  }
  return found;
}

std::vector<const Route*> RouteTable::OfPost(const std::string& node,
                                             const std::string& target_url) const {
  const auto it = posts_.find({node, target_url});
  return it == posts_.end() ? std::vector<const Route*>{} : it->second;
}

const Route* RouteTable::Find(const std::string& rule) const {
  const auto it = routes_.find(rule);
  return it == routes_.end() ? nullptr : &it->second;
}

}  // namespace skerry::router
