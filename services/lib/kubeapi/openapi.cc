#include "services/lib/kubeapi/openapi.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace skerry::kubeapi {
namespace {

constexpr char kMetaType[] = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
constexpr char kV2Prefix[] = "#/definitions/";
constexpr char kV3Prefix[] = "#/components/schemas/";

// "io.kubeedge.devices.v1beta1.Device" for custom kinds, as kube-apiserver names them.
std::string DefinitionName(const Resource& r) {
  if (!r.schema->name.empty()) return r.schema->name;
  std::vector<std::string> parts = absl::StrSplit(r.group, '.');
  return absl::StrCat(absl::StrJoin(parts.rbegin(), parts.rend(), "."), ".", r.version, ".",
                      r.kind);
}

Json Gvk(const Resource& r) {
  return {{"group", r.group}, {"kind", r.kind}, {"version", r.version}};
}

std::string BasePath(const Resource& r) {
  const std::string root =
      r.group.empty() ? absl::StrCat("/api/", r.version) : absl::StrCat("/apis/", r.ApiVersion());
  return absl::StrCat(root, r.namespaced ? "/namespaces/{namespace}/" : "/", r.plural);
}

// Adds the definition of `resource` and all it refers to.
void AddDefinitions(const ResourceRegistry& registry, const Resource& r, const char* prefix,
                    Json& definitions) {
  std::set<std::string> refs;
  Json definition = ToOpenApi(*r.schema, prefix, /*expand=*/true, refs);
  definition["x-kubernetes-group-version-kind"] = Json::array({Gvk(r)});
  if (r.custom) {
    refs.insert(kMetaType);
    definition["properties"]["apiVersion"] = {{"type", "string"}};
    definition["properties"]["kind"] = {{"type", "string"}};
    definition["properties"]["metadata"] = {{"$ref", absl::StrCat(prefix, kMetaType)}};
  }
  definitions[DefinitionName(r)] = std::move(definition);
  while (!refs.empty()) {
    const std::string name = *refs.begin();
    refs.erase(refs.begin());
    const auto type = registry.types().find(name);
    if (definitions.contains(name) || type == registry.types().end()) continue;
    definitions[name] = ToOpenApi(*type->second, prefix, true, refs);
  }
}

Json Parameter(const char* name, const char* type, bool v3) {
  Json parameter = {{"in", "query"}, {"name", name}, {"uniqueItems", true}};
  if (v3) {
    parameter["schema"] = {{"type", type}, {"uniqueItems", true}};
    parameter.erase("uniqueItems");
  } else {
    parameter["type"] = type;
  }
  return parameter;
}

// From these operations kubectl learns that fieldValidation and dryRun are understood, and which
// patches are.
Json WriteOperation(const Resource& r, const char* action, bool v3) {
  return {{"parameters",
           {Parameter("dryRun", "string", v3), Parameter("fieldManager", "string", v3),
            Parameter("fieldValidation", "string", v3)}},
          {"responses", {{"200", {{"description", "OK"}}}}},
          {"x-kubernetes-action", action},
          {"x-kubernetes-group-version-kind", Gvk(r)}};
}

Json Paths(const Resource& r, bool v3) {
  Json create = WriteOperation(r, "post", v3);
  Json patch = WriteOperation(r, "patch", v3);
  std::vector<std::string> patches = {"application/json-patch+json",
                                      "application/merge-patch+json"};
  if (!r.custom) patches.push_back("application/strategic-merge-patch+json");
  if (v3) {
    for (const std::string& type : patches) {
      patch["requestBody"]["content"][type] = {{"schema", {{"type", "object"}}}};
    }
  } else {
    patch["consumes"] = patches;
  }
  Json paths = {{BasePath(r), {{"post", std::move(create)}}}};
  if (!r.virtual_) {
    paths[BasePath(r) + "/{name}"] = {{"patch", std::move(patch)},
                                      {"put", WriteOperation(r, "put", v3)}};
  }
  return paths;
}

std::string DocumentPath(const std::string& group, const std::string& version) {
  return group.empty() ? absl::StrCat("api/", version) : absl::StrCat("apis/", group, "/", version);
}

}  // namespace

Json OpenApiV3Index(const ResourceRegistry& registry) {
  Json paths = Json::object();
  const uint64_t generation = registry.generation();
  for (const ResourcePtr& r : registry.All()) {
    const std::string path = DocumentPath(r->group, r->version);
    paths[path] = {{"serverRelativeURL", absl::StrCat("/openapi/v3/", path, "?hash=", generation)}};
  }
  return {{"paths", std::move(paths)}};
}

std::optional<Json> OpenApiV3Document(const ResourceRegistry& registry, absl::string_view group,
                                      absl::string_view version) {
  Json paths = Json::object();
  Json schemas = Json::object();
  for (const ResourcePtr& r : registry.All()) {
    if (r->group != group || r->version != version) continue;
    paths.update(Paths(*r, true));
    AddDefinitions(registry, *r, kV3Prefix, schemas);
  }
  if (paths.empty()) return std::nullopt;
  return Json{{"openapi", "3.0.0"},
              {"info", {{"title", "Skerry"}, {"version", "v1.32.0"}}},
              {"paths", std::move(paths)},
              {"components", {{"schemas", std::move(schemas)}}}};
}

Json OpenApiV2Document(const ResourceRegistry& registry) {
  Json paths = Json::object();
  Json definitions = Json::object();
  for (const ResourcePtr& r : registry.All()) {
    paths.update(Paths(*r, false));
    AddDefinitions(registry, *r, kV2Prefix, definitions);
  }
  return {{"swagger", "2.0"},
          {"info", {{"title", "Skerry"}, {"version", "v1.32.0"}}},
          {"paths", std::move(paths)},
          {"definitions", std::move(definitions)}};
}

}  // namespace skerry::kubeapi
