#include "services/lib/kubeapi/discovery.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeapi/custom_resource.h"
#include "services/lib/kubeapi/pod_stream_target.h"

namespace skerry::kubeapi {
namespace {

// Of Kubernetes, whose behaviour is served.
constexpr char kGitVersion[] = "v1.32.0-skerry";

// The one subresource whose kind is of another group.
constexpr char kTokenRequest[] = "TokenRequest";
constexpr char kAuthentication[] = "authentication.k8s.io";

Json Verbs(const Resource& resource) {
  if (resource.virtual_) return {"create"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

Json SubresourceVerbs(const std::string& name) {
  if (name == "binding" || name == "token") return {"create"};
  if (name == "finalize") return {"update"};
  if (name == "log") return {"get"};
  if (IsPodStream(name)) return {"create", "get"};
  return {"get", "patch", "update"};
}

std::string SubresourceKind(const Resource& r, const std::string& name) {
  if (name == "binding") return "Binding";
  if (name == "token") return kTokenRequest;
  if (name == "exec") return "PodExecOptions";
  if (name == "attach") return "PodAttachOptions";
  if (name == "portforward") return "PodPortForwardOptions";
  return r.kind;
}

// Versions of each group, preferred first.
std::map<std::string, std::vector<std::string>> GroupVersions(
    const std::vector<ResourcePtr>& resources) {
  std::map<std::string, std::vector<std::string>> groups;
  for (const ResourcePtr& resource : resources) {
    std::vector<std::string>& versions = groups[resource->group];
    if (std::find(versions.begin(), versions.end(), resource->version) == versions.end()) {
      versions.push_back(resource->version);
    }
  }
  for (auto& [group, versions] : groups) {
    std::sort(versions.begin(), versions.end(),
              [](const std::string& a, const std::string& b) { return CompareVersions(a, b) < 0; });
  }
  return groups;
}

Json GroupObject(const std::string& group, const std::vector<std::string>& versions) {
  Json list = Json::array();
  for (const std::string& version : versions) {
    list.push_back({{"groupVersion", absl::StrCat(group, "/", version)}, {"version", version}});
  }
  return {{"name", group}, {"preferredVersion", list[0]}, {"versions", list}};
}

Json DiscoveryResource(const Resource& r) {
  const auto kind = [&](const std::string& name) {
    const bool token = name == kTokenRequest;
    return Json{
        {"group", token ? kAuthentication : r.group}, {"version", r.version}, {"kind", name}};
  };
  Json out = {{"resource", r.plural},
              {"responseKind", kind(r.kind)},
              {"scope", r.namespaced ? "Namespaced" : "Cluster"},
              {"singularResource", r.singular},
              {"verbs", Verbs(r)}};
  if (!r.short_names.empty()) out["shortNames"] = r.short_names;
  if (!r.categories.empty()) out["categories"] = r.categories;
  for (const std::string& name : r.subresources) {
    out["subresources"].push_back({{"subresource", name},
                                   {"responseKind", kind(SubresourceKind(r, name))},
                                   {"verbs", SubresourceVerbs(name)}});
  }
  return out;
}

}  // namespace

bool AllowsVerb(const std::string& subresource, const std::string& verb) {
  const Json verbs = SubresourceVerbs(subresource);
  return std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

Json ApiVersions() {
  return {
      {"kind", "APIVersions"}, {"versions", {"v1"}}, {"serverAddressByClientCIDRs", Json::array()}};
}

Json ApiGroupList(const std::vector<ResourcePtr>& resources) {
  Json groups = Json::array();
  for (const auto& [group, versions] : GroupVersions(resources)) {
    if (!group.empty()) groups.push_back(GroupObject(group, versions));
  }
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

std::optional<Json> ApiGroup(const std::vector<ResourcePtr>& resources, absl::string_view group) {
  const auto groups = GroupVersions(resources);
  const auto found = groups.find(std::string(group));
  if (group.empty() || found == groups.end()) return std::nullopt;
  Json object = GroupObject(found->first, found->second);
  object["kind"] = "APIGroup";
  object["apiVersion"] = "v1";
  return object;
}

std::optional<Json> ApiResourceList(const std::vector<ResourcePtr>& resources,
                                    absl::string_view group, absl::string_view version) {
  Json list = Json::array();
  for (const ResourcePtr& r : resources) {
    if (r->group != group || r->version != version) continue;
    Json item = {{"name", r->plural},
                 {"singularName", r->singular},
                 {"namespaced", r->namespaced},
                 {"kind", r->kind},
                 {"verbs", Verbs(*r)}};
    if (!r->short_names.empty()) item["shortNames"] = r->short_names;
    if (!r->categories.empty()) item["categories"] = r->categories;
    list.push_back(std::move(item));
    for (const std::string& name : r->subresources) {
      const std::string kind = SubresourceKind(*r, name);
      list.push_back({{"name", absl::StrCat(r->plural, "/", name)},
                      {"singularName", ""},
                      {"namespaced", r->namespaced},
                      {"kind", kind},
                      {"verbs", SubresourceVerbs(name)}});
      if (kind != kTokenRequest) continue;
      list.back()["group"] = kAuthentication;
      list.back()["version"] = "v1";
    }
  }
  if (list.empty()) return std::nullopt;
  return Json{
      {"kind", "APIResourceList"},
      {"apiVersion", "v1"},
      {"groupVersion", group.empty() ? std::string(version) : absl::StrCat(group, "/", version)},
      {"resources", std::move(list)}};
}

Json AggregatedDiscovery(const std::vector<ResourcePtr>& resources, bool core) {
  Json items = Json::array();
  for (const auto& [group, versions] : GroupVersions(resources)) {
    if (group.empty() != core) continue;
    Json version_list = Json::array();
    for (const std::string& version : versions) {
      Json list = Json::array();
      for (const ResourcePtr& r : resources) {
        if (r->group == group && r->version == version) list.push_back(DiscoveryResource(*r));
      }
      version_list.push_back(
          {{"version", version}, {"freshness", "Current"}, {"resources", std::move(list)}});
    }
    Json metadata = {{"creationTimestamp", nullptr}};
    if (!group.empty()) metadata["name"] = group;
    items.push_back({{"metadata", std::move(metadata)}, {"versions", std::move(version_list)}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/v2"},
          {"metadata", Json::object()},
          {"items", std::move(items)}};
}

Json VersionInfo() {
  return {{"major", "1"},    {"minor", "32"},           {"gitVersion", kGitVersion},
          {"gitCommit", ""}, {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", ""}, {"compiler", "gcc"},       {"platform", "linux/amd64"}};
}

}  // namespace skerry::kubeapi
