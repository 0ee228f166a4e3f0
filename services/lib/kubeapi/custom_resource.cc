#include "services/lib/kubeapi/custom_resource.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/human.h"
#include "services/lib/kubeapi/json_path.h"
#include "services/lib/kubeapi/meta_validation.h"
#include "services/lib/kubeapi/schema_text.h"

namespace skerry::kubeapi {

const char kDefinitionsStorage[] = "customresourcedefinitions.apiextensions.k8s.io";
const char kCleanupFinalizer[] = "customresourcecleanup.apiextensions.k8s.io";

namespace {

Json Condition(const char* type, const char* reason, const char* message) {
  return {{"type", type},
          {"status", "True"},
          {"reason", reason},
          {"message", message},
          {"lastTransitionTime", KubeTime(absl::Now())}};
}

// The names are accepted and the kinds served as soon as the definition is stored.
void PrepareDefinition(Json& crd, const Json* old) {
  const std::string kind = StringAt(crd, {"spec", "names", "kind"});
  if (StringAt(crd, {"spec", "names", "singular"}).empty()) {
    SetPath(crd, {"spec", "names", "singular"}, absl::AsciiStrToLower(kind));
  }
  if (StringAt(crd, {"spec", "names", "listKind"}).empty()) {
    SetPath(crd, {"spec", "names", "listKind"}, kind + "List");
  }
  if (old == nullptr) {
    // Its objects go first; who owns the API takes the finalizer off when they are gone.
    Json finalizers = ArrayAt(crd, {"metadata", "finalizers"});
    if (std::find(finalizers.begin(), finalizers.end(), kCleanupFinalizer) == finalizers.end()) {
      finalizers.push_back(kCleanupFinalizer);
    }
    crd["metadata"]["finalizers"] = std::move(finalizers);
  }
  std::set<std::string> stored;
  if (old != nullptr) {
    for (const Json& version : ArrayAt(*old, {"status", "storedVersions"})) {
      if (version.is_string()) stored.insert(version.get<std::string>());
    }
  }
  for (const Json& version : ArrayAt(crd, {"spec", "versions"})) {
    if (BoolAt(version, {"storage"})) stored.insert(StringAt(version, {"name"}));
  }
  Json conditions = old != nullptr ? ArrayAt(*old, {"status", "conditions"}) : Json::array();
  if (conditions.empty()) {
    conditions = {
        Condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        Condition("Established", "InitialNamesAccepted", "the initial names have been accepted")};
  }
  crd["status"] = {{"acceptedNames", ObjectAt(crd, {"spec", "names"})},
                   {"conditions", std::move(conditions)},
                   {"storedVersions", stored}};
}

void ValidateVersion(const Json& version, const std::string& path,
                     std::vector<FieldError>& errors) {
  const Json* schema = FindPath(version, {"schema", "openAPIV3Schema"});
  if (schema == nullptr) {
    errors.push_back(FieldRequired(path + ".schema.openAPIV3Schema", "schemas are required"));
    return;
  }
  const absl::StatusOr<SchemaPtr> parsed = ParseStructural(*schema);
  if (!parsed.ok()) {
    errors.push_back(FieldInvalid(path + ".schema.openAPIV3Schema", "schema",
                                  std::string(parsed.status().message())));
  } else if ((*parsed)->type != Schema::Type::kObject) {
    errors.push_back(FieldInvalid(path + ".schema.openAPIV3Schema.type",
                                  StringAt(*schema, {"type"}), "must be object at the root"));
  }
  const Json& columns = ArrayAt(version, {"additionalPrinterColumns"});
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string field = absl::StrCat(path, ".additionalPrinterColumns[", i, "]");
    const std::string type = StringAt(columns[i], {"type"});
    static const auto& types =
        *new std::set<std::string>{"integer", "number", "string", "boolean", "date"};
    if (types.count(type) == 0) {
      errors.push_back(
          FieldInvalid(field + ".type", type, "must be one of boolean,date,integer,number,string"));
    }
    if (!ColumnPath::Parse(StringAt(columns[i], {"jsonPath"})).ok()) {
      errors.push_back(
          FieldInvalid(field + ".jsonPath", StringAt(columns[i], {"jsonPath"}), "is no JSON path"));
    }
  }
}

void ValidateDefinition(const Json& crd, std::vector<FieldError>& errors) {
  const std::string group = StringAt(crd, {"spec", "group"});
  const std::string plural = StringAt(crd, {"spec", "names", "plural"});
  const std::string want = absl::StrCat(plural, ".", group);
  if (StringAt(crd, {"metadata", "name"}) != want) {
    errors.push_back(FieldInvalid("metadata.name", StringAt(crd, {"metadata", "name"}),
                                  absl::StrCat("must be spec.names.plural+\".\"+spec.group")));
  }
  if (!group.empty() && !absl::StrContains(group, ".")) {
    errors.push_back(FieldInvalid("spec.group", group, "should be a domain with at least one dot"));
  }
  const auto protected_group = [&](absl::string_view suffix) {
    return group == suffix || absl::EndsWith(group, absl::StrCat(".", suffix));
  };
  if ((protected_group("k8s.io") || protected_group("kubernetes.io")) &&
      StringAt(crd, {"metadata", "annotations", "api-approved.kubernetes.io"}).empty()) {
    errors.push_back(FieldRequired(
        "metadata.annotations[api-approved.kubernetes.io]",
        "protected groups must have approval annotation \"api-approved.kubernetes.io\""));
  }
  if (!plural.empty() && !IsDnsLabel(plural))
    errors.push_back(FieldInvalid("spec.names.plural", plural, kDnsLabelText));
  if (StringAt(crd, {"spec", "conversion", "strategy"}) != "None") {
    errors.push_back(FieldNotSupported(
        "spec.conversion.strategy", StringAt(crd, {"spec", "conversion", "strategy"}), {"None"}));
  }
  int storage = 0;
  std::set<std::string> names;
  const Json& versions = ArrayAt(crd, {"spec", "versions"});
  for (size_t i = 0; i < versions.size(); ++i) {
    const std::string path = absl::StrCat("spec.versions[", i, "]");
    const std::string name = StringAt(versions[i], {"name"});
    if (!name.empty() && !IsDnsLabel(name))
      errors.push_back(FieldInvalid(path + ".name", name, kDnsLabelText));
    if (!names.insert(name).second) errors.push_back(FieldDuplicate(path + ".name", name));
    if (BoolAt(versions[i], {"storage"})) ++storage;
    ValidateVersion(versions[i], path, errors);
  }
  if (storage != 1) {
    errors.push_back(FieldInvalid("spec.versions", versions.size(),
                                  "must have exactly one version marked as storage version"));
  }
}

void ValidateDefinitionUpdate(const Json& crd, const Json& old, std::vector<FieldError>& errors) {
  for (const auto& path : {std::vector<absl::string_view>{"spec", "group"}, {"spec", "scope"}}) {
    if (StringAt(crd, {path[0], path[1]}) != StringAt(old, {path[0], path[1]})) {
      errors.push_back(FieldInvalid(absl::StrCat(path[0], ".", path[1]),
                                    StringAt(crd, {path[0], path[1]}), "field is immutable"));
    }
  }
  if (StringAt(crd, {"spec", "names", "kind"}) != StringAt(old, {"spec", "names", "kind"})) {
    errors.push_back(FieldInvalid("spec.names.kind", StringAt(crd, {"spec", "names", "kind"}),
                                  "field is immutable"));
  }
}

struct CustomColumn {
  std::string type;
  ColumnPath path;
};

Json Cell(const CustomColumn& column, const Json& object, absl::Time now) {
  const std::vector<const Json*> found = column.path.Find(object);
  if (found.empty() || found[0]->is_null())
    return column.type == "date" ? Json("<unknown>") : Json(nullptr);
  const Json& value = *found[0];
  if (column.type == "date")
    return value.is_string() ? Json(AgeSince(value.get<std::string>(), now)) : Json("<unknown>");
  if (column.type == "integer")
    return value.is_number() ? Json(value.get<int64_t>()) : Json(nullptr);
  if (column.type == "number") return value.is_number() ? value : Json(nullptr);
  if (column.type == "boolean") return value.is_boolean() ? value : Json(nullptr);
  if (found.size() == 1) return value.is_string() ? value : Json(DumpJson(value));
  std::string joined;
  for (const Json* each : found) {
    if (!joined.empty()) joined += ",";
    joined += each->is_string() ? each->get<std::string>() : DumpJson(*each);
  }
  return joined;
}

absl::Status AddColumns(const Json& version, Resource& resource) {
  std::vector<CustomColumn> paths;
  resource.columns = {{"Name", "string", "name"}};
  for (const Json& column : ArrayAt(version, {"additionalPrinterColumns"})) {
    SKERRY_ASSIGN_OR_RETURN(ColumnPath path, ColumnPath::Parse(StringAt(column, {"jsonPath"})));
    paths.push_back({StringAt(column, {"type"}), std::move(path)});
    resource.columns.push_back(
        {StringAt(column, {"name"}), StringAt(column, {"type"}), StringAt(column, {"format"}),
         static_cast<int>(IntAt(column, {"priority"})), StringAt(column, {"description"})});
  }
  const bool no_columns = paths.empty();
  if (no_columns) resource.columns.push_back({"Age", "date"});
  resource.cells = [paths = std::move(paths), no_columns](const Json& object, absl::Time now) {
    Json cells = Json::array({StringAt(object, {"metadata", "name"})});
    for (const CustomColumn& column : paths) cells.push_back(Cell(column, object, now));
    if (no_columns)
      cells.push_back(AgeSince(StringAt(object, {"metadata", "creationTimestamp"}), now));
    return cells;
  };
  return absl::OkStatus();
}

std::vector<std::string> Strings(const Json& list) {
  std::vector<std::string> out;
  for (const Json& item : list) {
    if (item.is_string()) out.push_back(item.get<std::string>());
  }
  return out;
}

// (stability, major, minor): GA over beta over alpha over other names.
std::tuple<int, int64_t, int64_t> Priority(absl::string_view version) {
  int64_t major = 0;
  int64_t minor = 0;
  if (!absl::ConsumePrefix(&version, "v")) return {0, 0, 0};
  size_t digits = 0;
  while (digits < version.size() &&
         absl::ascii_isdigit(static_cast<unsigned char>(version[digits])))
    ++digits;
  if (!absl::SimpleAtoi(version.substr(0, digits), &major)) return {0, 0, 0};
  version.remove_prefix(digits);
  if (version.empty()) return {3, major, 0};
  for (const auto& [word, rank] : {std::pair<absl::string_view, int>{"beta", 2}, {"alpha", 1}}) {
    absl::string_view rest = version;
    if (absl::ConsumePrefix(&rest, word) && absl::SimpleAtoi(rest, &minor))
      return {rank, major, minor};
  }
  return {0, 0, 0};
}

}  // namespace

Resource CustomResourceDefinitions() {
  Resource r;
  r.group = "apiextensions.k8s.io";
  r.version = "v1";
  r.kind = "CustomResourceDefinition";
  r.plural = "customresourcedefinitions";
  r.singular = "customresourcedefinition";
  r.short_names = {"crd", "crds"};
  r.categories = {"api-extensions"};
  r.namespaced = false;
  r.subresources = {"status"};
  r.generation = true;
  r.unconditional_update = false;
  r.prepare = PrepareDefinition;
  r.validate = ValidateDefinition;
  r.validate_update = ValidateDefinitionUpdate;
  return r;
}

int CompareVersions(absl::string_view a, absl::string_view b) {
  const auto left = Priority(a);
  const auto right = Priority(b);
  if (left != right) return left > right ? -1 : 1;
  return a.compare(b);
}

absl::StatusOr<std::vector<ResourcePtr>> MakeCustomResources(const Json& definition) {
  const Json& names = ObjectAt(definition, {"spec", "names"});
  std::vector<ResourcePtr> resources;
  for (const Json& version : ArrayAt(definition, {"spec", "versions"})) {
    if (!BoolAt(version, {"served"})) continue;
    auto r = std::make_shared<Resource>();
    r->group = StringAt(definition, {"spec", "group"});
    r->version = StringAt(version, {"name"});
    r->plural = StringAt(names, {"plural"});
    r->singular = StringAt(names, {"singular"});
    r->kind = StringAt(names, {"kind"});
    r->short_names = Strings(ArrayAt(names, {"shortNames"}));
    r->categories = Strings(ArrayAt(names, {"categories"}));
    r->namespaced = StringAt(definition, {"spec", "scope"}) == "Namespaced";
    r->custom = true;
    r->generation = true;
    r->dialect = Dialect::kStructural;
    r->unconditional_update = false;
    if (FindPath(version, {"subresources", "status"}) != nullptr) r->subresources = {"status"};
    for (const Json& field : ArrayAt(version, {"selectableFields"})) {
      std::string path = StringAt(field, {"jsonPath"});
      if (absl::StartsWith(path, ".")) r->selectable.push_back(path.substr(1));
    }
    SKERRY_ASSIGN_OR_RETURN(r->schema,
                            ParseStructural(ObjectAt(version, {"schema", "openAPIV3Schema"})));
    SKERRY_RETURN_IF_ERROR(AddColumns(version, *r));
    resources.push_back(std::move(r));
  }
  std::sort(resources.begin(), resources.end(), [](const ResourcePtr& a, const ResourcePtr& b) {
    return CompareVersions(a->version, b->version) < 0;
  });
  return resources;
}

}  // namespace skerry::kubeapi
