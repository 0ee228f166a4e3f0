#include "services/lib/kubeapi/schema_text.h"

#include <re2/re2.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::kubeapi {
namespace {

using Type = Schema::Type;

constexpr char kMetaPackage[] = "io.k8s.apimachinery.pkg.apis.meta.v1.";

class TypeParser {
 public:
  explicit TypeParser(TypeTable& types) : types_(types) {}

  absl::Status Parse(absl::string_view text) {
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_number_;
      absl::Status status = Line(line);
      if (!status.ok()) {
        return Error(absl::StatusCode::kInvalidArgument,
                     absl::StrCat("line ", line_number_, ": ", std::string(status.message())));
      }
    }
    Finish();
    return absl::OkStatus();
  }

 private:
  absl::Status Line(absl::string_view line) {
    const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (words.empty()) return absl::OkStatus();
    if (words.size() < 2) return absl::InvalidArgumentError("a name and a type are needed");
    if (absl::StartsWith(line, "  ")) return Field(words);
    Finish();
    if (words[0] == "package") {
      package_ = words[1];
      return absl::OkStatus();
    }
    current_ = std::make_shared<Schema>();
    current_->type = Type::kObject;
    current_->name = absl::StrCat(package_, ".", words[1]);
    if (words[0] == "kind") {
      SKERRY_RETURN_IF_ERROR(Field({"apiVersion", "string"}));
      SKERRY_RETURN_IF_ERROR(Field({"kind", "string"}));
      return Field({"metadata", std::string(kMetaPackage) + "ObjectMeta", "#1"});
    }
    return words[0] == "type" ? absl::OkStatus()
                              : absl::InvalidArgumentError("expected type, kind or package");
  }

  absl::Status Field(const std::vector<std::string>& words) {
    if (current_ == nullptr) return absl::InvalidArgumentError("a field outside a type");
    SKERRY_ASSIGN_OR_RETURN(SchemaPtr type, Resolve(words[1]));
    if (words.size() > 2) {
      auto own = std::make_shared<Schema>(*type);
      for (size_t i = 2; i < words.size(); ++i)
        SKERRY_RETURN_IF_ERROR(Attribute(words[0], words[i], *own));
      type = std::move(own);
    }
    current_->properties[words[0]] = std::move(type);
    return absl::OkStatus();
  }

  absl::Status Attribute(const std::string& field, const std::string& word, Schema& schema) {
    const std::pair<std::string, std::string> part = absl::StrSplit(word, absl::MaxSplits('=', 1));
    const auto& [name, value] = part;
    if (name[0] == '#') {
      uint32_t number = 0;
      if (!absl::SimpleAtoi(name.substr(1), &number) ||
          !current_->proto_fields.emplace(number, field).second) {
        return absl::InvalidArgumentError(absl::StrCat("not a field number of its own: ", word));
      }
    } else if (name == "required") {
      current_->required.push_back(field);
    } else if (name == "mergeset") {
      schema.merge_set = true;
    } else if (name == "retainKeys") {
      schema.retain_keys = true;
    } else if (name == "merge") {
      schema.merge_key = value;
    } else if (name == "default") {
      SKERRY_ASSIGN_OR_RETURN(Json parsed, ParseJson(value));
      schema.default_value = std::move(parsed);
    } else if (name == "enum") {
      for (const absl::string_view v : absl::StrSplit(value, '|'))
        schema.enum_values.push_back(std::string(v));
    } else if (name == "min" || name == "max") {
      double bound = 0;
      if (!absl::SimpleAtod(value, &bound))
        return absl::InvalidArgumentError("a bound is no number");
      (name == "min" ? schema.minimum : schema.maximum) = bound;
    } else {
      return absl::InvalidArgumentError(absl::StrCat("unknown attribute ", word));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SchemaPtr> Resolve(absl::string_view text) {
    auto schema = std::make_shared<Schema>();
    if (absl::ConsumePrefix(&text, "[]")) {
      schema->type = Type::kArray;
      SKERRY_ASSIGN_OR_RETURN(schema->items, Resolve(text));
      return SchemaPtr(schema);
    }
    if (absl::ConsumePrefix(&text, "{}")) {
      schema->type = Type::kObject;
      SKERRY_ASSIGN_OR_RETURN(schema->additional, Resolve(text));
      return SchemaPtr(schema);
    }
    static const auto& scalars = *new std::map<std::string, std::pair<Type, const char*>>{
        {"string", {Type::kString, ""}},        {"bytes", {Type::kString, "byte"}},
        {"time", {Type::kString, "date-time"}}, {"microtime", {Type::kString, "date-time"}},
        {"int32", {Type::kInteger, "int32"}},   {"int64", {Type::kInteger, "int64"}},
        {"bool", {Type::kBoolean, ""}},         {"double", {Type::kNumber, "double"}},
        {"quantity", {Type::kQuantity, ""}},    {"intstr", {Type::kIntOrString, ""}},
        {"object", {Type::kObject, ""}},
    };
    const auto scalar = scalars.find(std::string(text));
    if (scalar != scalars.end()) {
      schema->type = scalar->second.first;
      schema->format = scalar->second.second;
      schema->preserve_unknown = text == "object";
      return SchemaPtr(schema);
    }
    for (const std::string& name :
         {absl::StrCat(package_, ".", text), std::string(text), absl::StrCat(kMetaPackage, text)}) {
      const auto known = types_.find(name);
      if (known != types_.end()) return known->second;
    }
    return absl::InvalidArgumentError(absl::StrCat("unknown type ", text));
  }

  void Finish() {
    if (current_ != nullptr) types_[current_->name] = std::move(current_);
    current_ = nullptr;
  }

  TypeTable& types_;
  std::string package_;
  std::shared_ptr<Schema> current_;
  int line_number_ = 0;
};

absl::Status Wrong(const std::string& path, absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat(path.empty() ? "openAPIV3Schema" : path, ": ", why));
}

std::optional<int64_t> Bound(const Json& json, const char* name) {
  const Json* at = FindPath(json, {name});
  if (at == nullptr || !at->is_number_integer()) return std::nullopt;
  return at->get<int64_t>();
}

std::optional<double> Number(const Json& json, const char* name) {
  const Json* at = FindPath(json, {name});
  if (at == nullptr || !at->is_number()) return std::nullopt;
  return at->get<double>();
}

absl::StatusOr<SchemaPtr> Structural(const Json& json, const std::string& path);

absl::Status ParseList(const Json& json, const char* name, const std::string& path,
                       std::vector<SchemaPtr>& out) {
  for (const Json& each : ArrayAt(json, {name})) {
    SKERRY_ASSIGN_OR_RETURN(SchemaPtr parsed, Structural(each, absl::StrCat(path, ".", name)));
    out.push_back(std::move(parsed));
  }
  return absl::OkStatus();
}

absl::Status ParseScalars(const Json& json, const std::string& path, Schema& schema) {
  static const auto& types = *new std::map<std::string, Type>{
      {"", Type::kAny},           {"object", Type::kObject},   {"array", Type::kArray},
      {"string", Type::kString},  {"integer", Type::kInteger}, {"number", Type::kNumber},
      {"boolean", Type::kBoolean}};
  const auto type = types.find(StringAt(json, {"type"}));
  if (type == types.end())
    return Wrong(path, absl::StrCat("unknown type \"", StringAt(json, {"type"}), "\""));
  schema.type = type->second;
  if (BoolAt(json, {"x-kubernetes-int-or-string"})) schema.type = Type::kIntOrString;
  schema.description = StringAt(json, {"description"});
  schema.format = StringAt(json, {"format"});
  schema.nullable = BoolAt(json, {"nullable"});
  schema.preserve_unknown = BoolAt(json, {"x-kubernetes-preserve-unknown-fields"});
  schema.embedded_resource = BoolAt(json, {"x-kubernetes-embedded-resource"});
  for (const Json& name : ArrayAt(json, {"required"})) {
    if (name.is_string()) schema.required.push_back(name.get<std::string>());
  }
  for (const Json& value : ArrayAt(json, {"enum"})) schema.enum_values.push_back(value);
  if (const Json* value = FindPath(json, {"default"}); value != nullptr)
    schema.default_value = *value;
  schema.minimum = Number(json, "minimum");
  schema.maximum = Number(json, "maximum");
  schema.multiple_of = Number(json, "multipleOf");
  schema.exclusive_minimum = BoolAt(json, {"exclusiveMinimum"});
  schema.exclusive_maximum = BoolAt(json, {"exclusiveMaximum"});
  schema.min_length = Bound(json, "minLength");
  schema.max_length = Bound(json, "maxLength");
  schema.min_items = Bound(json, "minItems");
  schema.max_items = Bound(json, "maxItems");
  schema.min_properties = Bound(json, "minProperties");
  schema.max_properties = Bound(json, "maxProperties");
  schema.unique_items =
      BoolAt(json, {"uniqueItems"}) || StringAt(json, {"x-kubernetes-list-type"}) == "set";
  const Json& keys = ArrayAt(json, {"x-kubernetes-list-map-keys"});
  if (keys.size() == 1 && keys[0].is_string()) schema.merge_key = keys[0].get<std::string>();
  schema.pattern_text = StringAt(json, {"pattern"});
  if (!schema.pattern_text.empty()) {
    RE2::Options options;
    options.set_log_errors(false);
    auto pattern = std::make_shared<RE2>(schema.pattern_text, options);
    if (!pattern->ok())
      return Wrong(path, absl::StrCat("the pattern is no regular expression: ", pattern->error()));
    schema.pattern = std::move(pattern);
  }
  return absl::OkStatus();
}

absl::StatusOr<SchemaPtr> Structural(const Json& json, const std::string& path) {
  if (!json.is_object()) return Wrong(path, "a schema must be an object");
  auto schema = std::make_shared<Schema>();
  SKERRY_RETURN_IF_ERROR(ParseScalars(json, path, *schema));
  for (const auto& [name, member] : ObjectAt(json, {"properties"}).items()) {
    SKERRY_ASSIGN_OR_RETURN(schema->properties[name],
                            Structural(member, absl::StrCat(path, ".", name)));
  }
  if (const Json* items = FindPath(json, {"items"}); items != nullptr) {
    SKERRY_ASSIGN_OR_RETURN(schema->items, Structural(*items, absl::StrCat(path, "[*]")));
  } else if (schema->type == Type::kArray) {
    return Wrong(path, "an array needs items");
  }
  if (const Json* other = FindPath(json, {"additionalProperties"}); other != nullptr) {
    if (other->is_object()) {
      SKERRY_ASSIGN_OR_RETURN(schema->additional, Structural(*other, absl::StrCat(path, "[*]")));
    } else if (other->is_boolean() && other->get<bool>()) {
      schema->additional = std::make_shared<Schema>();
    }
  }
  SKERRY_RETURN_IF_ERROR(ParseList(json, "allOf", path, schema->all_of));
  SKERRY_RETURN_IF_ERROR(ParseList(json, "anyOf", path, schema->any_of));
  SKERRY_RETURN_IF_ERROR(ParseList(json, "oneOf", path, schema->one_of));
  if (const Json* no = FindPath(json, {"not"}); no != nullptr) {
    SKERRY_ASSIGN_OR_RETURN(schema->not_, Structural(*no, absl::StrCat(path, ".not")));
  }
  return SchemaPtr(schema);
}

}  // namespace

absl::Status ParseTypes(absl::string_view text, TypeTable& types) {
  return TypeParser(types).Parse(text);
}

absl::StatusOr<SchemaPtr> ParseStructural(const Json& schema) { return Structural(schema, ""); }

Json ToOpenApi(const Schema& schema, absl::string_view ref_prefix, bool expand,
               std::set<std::string>& refs) {
  Json out = Json::object();
  const bool v3 = absl::StartsWith(ref_prefix, "#/components");
  if (!schema.name.empty() && !expand) {
    refs.insert(schema.name);
    const std::string ref = absl::StrCat(ref_prefix, schema.name);
    // Keywords beside $ref are not read in OpenAPI 3: wrap it where there are any.
    if (!schema.default_value.has_value() || !v3) return {{"$ref", ref}};
    return {{"allOf", Json::array({{{"$ref", ref}}})}, {"default", *schema.default_value}};
  }
  static constexpr const char* kNames[] = {"",       "object",  "array", "string", "integer",
                                           "number", "boolean", "",      "string"};
  const std::string type = kNames[static_cast<int>(schema.type)];
  if (!type.empty()) out["type"] = type;
  if (schema.type == Type::kIntOrString) {
    if (v3) {
      out["oneOf"] = {{{"type", "integer"}}, {{"type", "string"}}};
    } else {
      out["type"] = "string";
    }
    out["format"] = "int-or-string";
  }
  if (!schema.format.empty()) out["format"] = schema.format;
  if (!schema.description.empty()) out["description"] = schema.description;
  if (schema.preserve_unknown) out["x-kubernetes-preserve-unknown-fields"] = true;
  if (schema.default_value.has_value()) out["default"] = *schema.default_value;
  if (!schema.enum_values.empty()) out["enum"] = schema.enum_values;
  if (!schema.required.empty()) out["required"] = schema.required;
  if (schema.items != nullptr) out["items"] = ToOpenApi(*schema.items, ref_prefix, false, refs);
  if (schema.additional != nullptr) {
    out["additionalProperties"] = ToOpenApi(*schema.additional, ref_prefix, false, refs);
  }
  for (const auto& [name, member] : schema.properties) {
    out["properties"][name] = ToOpenApi(*member, ref_prefix, false, refs);
  }
  if (!schema.merge_key.empty()) {
    out["x-kubernetes-patch-merge-key"] = schema.merge_key;
    out["x-kubernetes-patch-strategy"] = schema.retain_keys ? "merge,retainKeys" : "merge";
  } else if (schema.merge_set) {
    out["x-kubernetes-patch-strategy"] = "merge";
  }
  return out;
}

}  // namespace skerry::kubeapi
