#include "services/lib/kubeapi/auth/policy.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/auth/yaml_fields.h"

namespace skerry::kubeapi {
namespace {

constexpr absl::string_view kAll = "*";

bool Has(const std::vector<std::string>& list, absl::string_view value) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& item) { return item == value; });
}

bool HasOrAll(const std::vector<std::string>& list, absl::string_view value) {
  return Has(list, kAll) || Has(list, value);
}

bool AppliesTo(const PolicyRule& rule, const Caller& caller) {
  return Has(rule.users, caller.name) ||
         std::any_of(caller.groups.begin(), caller.groups.end(),
                     [&](const std::string& group) { return Has(rule.groups, group); });
}

std::string FullResource(const RequestInfo& info) {
  return info.subresource.empty() ? info.resource
                                  : absl::StrCat(info.resource, "/", info.subresource);
}

bool AllowsResource(const PolicyGrant& grant, const RequestInfo& info) {
  if (!HasOrAll(grant.verbs, info.verb) || !HasOrAll(grant.api_groups, info.group)) return false;
  const bool resource =
      HasOrAll(grant.resources, FullResource(info)) ||
      (!info.subresource.empty() && Has(grant.resources, absl::StrCat("*/", info.subresource)));
  if (!resource) return false;
  // As in RBAC, a rule for names allows no request without one ("list"), for that would show the
  // others.
  if (!grant.resource_names.empty() && !Has(grant.resource_names, info.name)) return false;
  return grant.namespaces.empty() || (!info.ns.empty() && Has(grant.namespaces, info.ns));
}

bool AllowsPath(const PolicyGrant& grant, const RequestInfo& info) {
  if (!HasOrAll(grant.verbs, info.verb)) return false;
  return std::any_of(
      grant.non_resource_urls.begin(), grant.non_resource_urls.end(), [&](const std::string& url) {
        if (url == kAll || url == info.path) return true;
        return absl::EndsWith(url, "*") &&
               absl::StartsWith(info.path, absl::string_view(url).substr(0, url.size() - 1));
      });
}

std::string Denial(const Caller& caller, const RequestInfo& info) {
  if (!info.is_resource)
    return absl::StrCat("User \"", caller.name, "\" cannot ", info.verb, " path \"", info.path,
                        "\"");
  return absl::StrCat("User \"", caller.name, "\" cannot ", info.verb, " resource \"",
                      FullResource(info), "\" in API group \"", info.group, "\"",
                      info.ns.empty() ? std::string(" at the cluster scope")
                                      : absl::StrCat(" in the namespace \"", info.ns, "\""));
}

absl::Status ParseGrant(const YAML::Node& node, PolicyGrant& grant) {
  SKERRY_RETURN_IF_ERROR(CheckKeys(
      node, {"verbs", "apiGroups", "resources", "resourceNames", "namespaces", "nonResourceURLs"}));
  SKERRY_RETURN_IF_ERROR(ReadStrings(node, "verbs", grant.verbs));
  SKERRY_RETURN_IF_ERROR(ReadStrings(node, "apiGroups", grant.api_groups));
  SKERRY_RETURN_IF_ERROR(ReadStrings(node, "resources", grant.resources));
  SKERRY_RETURN_IF_ERROR(ReadStrings(node, "resourceNames", grant.resource_names));
  SKERRY_RETURN_IF_ERROR(ReadStrings(node, "namespaces", grant.namespaces));
  SKERRY_RETURN_IF_ERROR(ReadStrings(node, "nonResourceURLs", grant.non_resource_urls));
  if (grant.verbs.empty()) return YamlError(node, "verbs are missing");
  // An empty list that restricts is a mistake whose reading as "all" would open what was to be
  // closed.
  for (const char* key : {"resourceNames", "namespaces"}) {
    if (node[key].IsDefined() && node[key].size() == 0) {
      return YamlError(node[key], absl::StrCat(key, " is empty; leave it out to allow all"));
    }
  }
  const bool for_resources = !grant.api_groups.empty() || !grant.resources.empty() ||
                             !grant.resource_names.empty() || !grant.namespaces.empty();
  if (!grant.non_resource_urls.empty()) {
    if (for_resources) return YamlError(node, "nonResourceURLs go into an entry of their own");
    for (const std::string& url : grant.non_resource_urls) {
      const size_t star = url.find('*');
      if ((url != kAll && !absl::StartsWith(url, "/")) ||
          (star != std::string::npos && star + 1 != url.size())) {
        return YamlError(
            node, absl::StrCat("\"", url, "\" is no path; a \"*\" may only be its last character"));
      }
    }
    return absl::OkStatus();
  }
  if (grant.api_groups.empty() || grant.resources.empty()) {
    return YamlError(node, "apiGroups and resources (or nonResourceURLs) are missing");
  }
  return absl::OkStatus();
}

absl::Status ParseRule(const YAML::Node& node, PolicyRule& rule) {
  SKERRY_RETURN_IF_ERROR(CheckKeys(node, {"name", "subjects", "allow"}));
  SKERRY_RETURN_IF_ERROR(ReadString(node, "name", rule.name));
  if (rule.name.empty()) return YamlError(node, "the rule needs a name");
  const YAML::Node subjects = node["subjects"];
  if (!subjects.IsDefined()) return YamlError(node, "subjects are missing");
  SKERRY_RETURN_IF_ERROR(CheckKeys(subjects, {"users", "groups"}));
  SKERRY_RETURN_IF_ERROR(ReadStrings(subjects, "users", rule.users));
  SKERRY_RETURN_IF_ERROR(ReadStrings(subjects, "groups", rule.groups));
  if (rule.users.empty() && rule.groups.empty())
    return YamlError(subjects, "subjects need users or groups");
  if (Has(rule.users, kAll) || Has(rule.groups, kAll)) {
    return YamlError(subjects,
                     "\"*\" is no user or group; all who have credentials are in the group "
                     "system:authenticated");
  }
  const YAML::Node allow = node["allow"];
  if (!allow.IsSequence() || allow.size() == 0)
    return YamlError(node, "allow must be a list with at least one entry");
  for (const YAML::Node& entry : allow) {
    SKERRY_RETURN_IF_ERROR(ParseGrant(entry, rule.allow.emplace_back()));
  }
  return absl::OkStatus();
}

}  // namespace

Policy::Policy(std::vector<PolicyRule> rules) : rules_(std::move(rules)) {}

absl::StatusOr<Policy> Policy::Parse(absl::string_view yaml) {
  std::vector<PolicyRule> rules;
  std::set<std::string> names;
  SKERRY_RETURN_IF_ERROR(ReadYamlText(yaml, [&](const YAML::Node& root) -> absl::Status {
    SKERRY_RETURN_IF_ERROR(CheckKeys(root, {"rules"}));
    const YAML::Node list = root["rules"];
    if (!list.IsSequence()) return YamlError(root, "rules must be a list");
    for (const YAML::Node& node : list) {
      SKERRY_RETURN_IF_ERROR(ParseRule(node, rules.emplace_back()));
      if (!names.insert(rules.back().name).second) {
        return YamlError(node,
                         absl::StrCat("there are two rules named \"", rules.back().name, "\""));
      }
    }
    return absl::OkStatus();
  }));
  return Policy(std::move(rules));
}

Decision Policy::Authorize(const Caller& caller, const RequestInfo& info) const {
  for (const PolicyRule& rule : rules_) {
    if (!AppliesTo(rule, caller)) continue;
    for (const PolicyGrant& grant : rule.allow) {
      const bool allowed = info.is_resource
                               ? grant.non_resource_urls.empty() && AllowsResource(grant, info)
                               : AllowsPath(grant, info);
      if (allowed) return {.allowed = true, .reason = absl::StrCat("rule ", rule.name)};
    }
  }
  return {.allowed = false, .reason = Denial(caller, info)};
}

}  // namespace skerry::kubeapi
