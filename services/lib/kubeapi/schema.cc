#include "services/lib/kubeapi/schema.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <re2/re2.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/quantity.h"

namespace skerry::kubeapi {
namespace {

using Type = Schema::Type;

std::string Member(absl::string_view path, absl::string_view name) {
  return path.empty() ? std::string(name) : absl::StrCat(path, ".", name);
}

std::string Item(absl::string_view path, size_t i) { return absl::StrCat(path, "[", i, "]"); }

std::string MapItem(absl::string_view path, absl::string_view key) {
  return absl::StrCat(path, "[", key, "]");
}

bool IsMeta(absl::string_view name) {
  return name == "apiVersion" || name == "kind" || name == "metadata";
}

void Prune(const Schema& schema, Dialect dialect, Json& value, const std::string& path, bool root,
           std::vector<std::string>& unknown) {
  if (schema.type == Type::kQuantity && value.is_number()) {
    value = DumpJson(value);
  }
  if (schema.type == Type::kQuantity && value.is_string()) {
    const std::optional<std::string> canonical = CanonicalQuantity(value.get<std::string>());
    if (canonical.has_value()) value = *canonical;
  }
  if (value.is_array() && schema.items != nullptr) {
    for (size_t i = 0; i < value.size(); ++i) {
      Prune(*schema.items, dialect, value[i], Item(path, i), false, unknown);
    }
    return;
  }
  if (!value.is_object() || (schema.type != Type::kObject && schema.type != Type::kAny)) return;
  for (auto member = value.begin(); member != value.end();) {
    const std::string name = member.key();
    const auto known = schema.properties.find(name);
    const Schema* type = known != schema.properties.end() ? known->second.get() : schema.additional.get();
    const bool meta = (schema.embedded_resource || (root && dialect == Dialect::kStructural)) && IsMeta(name);
    if (type == nullptr && !meta && !schema.preserve_unknown && schema.type == Type::kObject) {
      unknown.push_back(Member(path, name));
      member = value.erase(member);
      continue;
    }
    if (type != nullptr && member->is_null() && !type->nullable && type->type != Type::kAny) {
      member = value.erase(member);
      continue;
    }
    if (type != nullptr && !(meta && root)) {
      Prune(*type, dialect, *member, Member(path, name), false, unknown);
    }
    ++member;
  }
}

const char* JsonTypeName(const Json& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "bool";
  if (value.is_number()) return "number";
  return "null";
}

std::string GoTypeName(const Schema& schema) {
  switch (schema.type) {
    case Type::kString:
      return schema.format == "byte" ? "[]uint8" : "string";
    case Type::kInteger:
      return schema.format.empty() ? "int" : schema.format;
    case Type::kNumber:
      return "float64";
    case Type::kBoolean:
      return "bool";
    case Type::kArray:
      return absl::StrCat("[]", schema.items != nullptr ? GoTypeName(*schema.items) : "interface {}");
    case Type::kObject:
      if (schema.additional != nullptr) return absl::StrCat("map[string]", GoTypeName(*schema.additional));
      return schema.name.substr(schema.name.rfind('.') + 1);
    default:
      return "interface {}";
  }
}

bool FitsGoType(const Schema& schema, const Json& value) {
  switch (schema.type) {
    case Type::kString:
      return value.is_string();
    case Type::kInteger:
      if (!value.is_number_integer()) return false;
      if (schema.format != "int32") {
        return !value.is_number_unsigned() ||
               value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX);
      }
      return value.is_number_unsigned() ? value.get<uint64_t>() <= INT32_MAX
                                        : value.get<int64_t>() >= INT32_MIN;
    case Type::kNumber:
      return value.is_number();
    case Type::kBoolean:
      return value.is_boolean();
    case Type::kArray:
      return value.is_array();
    case Type::kObject:
      return value.is_object();
    case Type::kIntOrString:
      return value.is_string() || value.is_number_integer();
    case Type::kQuantity:
    case Type::kAny:
      return true;
  }
  return true;
}

absl::Status CheckAt(const Schema& schema, const Json& value, const std::string& owner,
                     const std::string& path) {
  if (value.is_null()) return absl::OkStatus();
  if (!FitsGoType(schema, value)) {
    return BadRequestError(absl::StrCat("json: cannot unmarshal ", JsonTypeName(value),
                                        " into Go struct field ", owner, ".", path, " of type ",
                                        GoTypeName(schema)));
  }
  if (schema.type == Type::kQuantity &&
      !(value.is_string() && CanonicalQuantity(value.get<std::string>()).has_value()) && !value.is_number()) {
    return BadRequestError(
        "quantities must match the regular expression "
        "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }
  if (schema.type == Type::kString && schema.format == "byte") {
    std::string bytes;
    if (!absl::Base64Unescape(value.get<std::string>(), &bytes)) {
      return BadRequestError(absl::StrCat("illegal base64 data in ", path));
    }
  }
  if (schema.type == Type::kString && schema.format == "date-time" && !value.get<std::string>().empty()) {
    absl::Time time;
    if (!absl::ParseTime(absl::RFC3339_full, value.get<std::string>(), &time, nullptr)) {
      return BadRequestError(absl::StrCat("parsing time \"", value.get<std::string>(),
                                          "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse (", path, ")"));
    }
  }
  const std::string self = schema.name.substr(schema.name.rfind('.') + 1);
  if (value.is_array() && schema.items != nullptr) {
    for (const Json& item : value) SKERRY_RETURN_IF_ERROR(CheckAt(*schema.items, item, owner, path));
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      const auto known = schema.properties.find(name);
      const Schema* type = known != schema.properties.end() ? known->second.get() : schema.additional.get();
      if (type == nullptr) continue;
      SKERRY_RETURN_IF_ERROR(CheckAt(*type, member, self.empty() ? owner : self, Member(path, name)));
    }
  }
  return absl::OkStatus();
}

// Collects complaints; knows when there are enough.
class Validator {
 public:
  Validator(Dialect dialect, std::vector<FieldError>& errors) : dialect_(dialect), errors_(errors) {}

  void Check(const Schema& schema, const Json& value, const std::string& path, bool root) {
    if (errors_.size() >= kFieldErrorsMax) return;
    if (value.is_null() && (schema.nullable || dialect_ == Dialect::kGo)) return;
    if (dialect_ == Dialect::kStructural && !CheckType(schema, value, path)) return;
    CheckEnum(schema, value, path);
    if (value.is_string()) CheckString(schema, value, path);
    if (value.is_number()) CheckNumber(schema, value, path);
    if (value.is_array()) CheckArray(schema, value, path);
    if (value.is_object()) CheckObject(schema, value, path, root);
    CheckCombinations(schema, value, path);
  }

 private:
  void Add(FieldError error) {
    if (errors_.size() < kFieldErrorsMax) errors_.push_back(std::move(error));
  }

  bool CheckType(const Schema& schema, const Json& value, const std::string& path) {
    const char* want = nullptr;
    switch (schema.type) {
      case Type::kString:
        if (!value.is_string()) want = "string";
        break;
      case Type::kInteger:
        if (!value.is_number_integer() &&
            !(value.is_number() && std::floor(value.get<double>()) == value.get<double>())) {
          want = "integer";
        }
        break;
      case Type::kNumber:
        if (!value.is_number()) want = "number";
        break;
      case Type::kBoolean:
        if (!value.is_boolean()) want = "boolean";
        break;
      case Type::kArray:
        if (!value.is_array()) want = "array";
        break;
      case Type::kObject:
        if (!value.is_object()) want = "object";
        break;
      case Type::kIntOrString:
        if (!value.is_string() && !value.is_number_integer()) want = "integer,string";
        break;
      case Type::kQuantity:
      case Type::kAny:
        break;
    }
    if (want == nullptr) return true;
    const std::string got = value.is_boolean()          ? "boolean"
                            : value.is_number_integer() ? "integer"
                                                        : JsonTypeName(value);
    Add(FieldTypeInvalid(path, value.is_structured() ? Json(got) : value,
                         absl::StrCat(path, " in body must be of type ", want, ": \"", got, "\"")));
    return false;
  }

  void CheckEnum(const Schema& schema, const Json& value, const std::string& path) {
    if (schema.enum_values.empty()) return;
    if (dialect_ == Dialect::kGo && value.is_string() && value.get_ref<const std::string&>().empty()) return;
    if (std::find(schema.enum_values.begin(), schema.enum_values.end(), value) != schema.enum_values.end()) return;
    std::vector<std::string> supported;
    for (const Json& v : schema.enum_values) supported.push_back(v.is_string() ? v.get<std::string>() : DumpJson(v));
    Add(FieldNotSupported(path, value.is_string() ? value.get<std::string>() : DumpJson(value), supported));
  }

  void CheckString(const Schema& schema, const Json& value, const std::string& path) {
    const std::string& text = value.get_ref<const std::string&>();
    const int64_t runes = std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (schema.min_length && runes < *schema.min_length) {
      Add(FieldInvalid(path, value, absl::StrCat(path, " in body should be at least ", *schema.min_length, " chars long")));
    }
    if (schema.max_length && runes > *schema.max_length) {
      Add(FieldInvalid(path, value, absl::StrCat(path, " in body should be at most ", *schema.max_length, " chars long")));
    }
    if (schema.pattern != nullptr && !RE2::PartialMatch(text, *schema.pattern)) {
      Add(FieldInvalid(path, value, absl::StrCat(path, " in body should match '", schema.pattern_text, "'")));
    }
    if (dialect_ == Dialect::kStructural && schema.format == "date-time") {
      absl::Time time;
      if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
        Add(FieldInvalid(path, value, absl::StrCat(path, " in body must be of type date-time: ", DumpJson(value))));
      }
    }
  }

  void CheckNumber(const Schema& schema, const Json& value, const std::string& path) {
    const double number = value.get<double>();
    const auto bound = [&](double limit, bool low, bool exclusive) {
      const bool bad = low ? (exclusive ? number <= limit : number < limit)
                           : (exclusive ? number >= limit : number > limit);
      if (!bad) return;
      Add(FieldInvalid(path, value,
                       dialect_ == Dialect::kGo
                           ? absl::StrCat("must be ", low ? "greater" : "less", " than or equal to ", limit)
                           : absl::StrCat(path, " in body should be ", low ? "greater" : "less", " than ",
                                          exclusive ? "" : "or equal to ", limit)));
    };
    if (schema.minimum) bound(*schema.minimum, true, schema.exclusive_minimum);
    if (schema.maximum) bound(*schema.maximum, false, schema.exclusive_maximum);
    if (schema.multiple_of && *schema.multiple_of > 0) {
      const double times = number / *schema.multiple_of;
      if (std::fabs(times - std::round(times)) > 1e-9) {
        Add(FieldInvalid(path, value, absl::StrCat(path, " in body should be a multiple of ", *schema.multiple_of)));
      }
    }
  }

  void CheckArray(const Schema& schema, const Json& value, const std::string& path) {
    const int64_t size = static_cast<int64_t>(value.size());
    if (schema.min_items && size < *schema.min_items) {
      Add(FieldInvalid(path, size, absl::StrCat(path, " in body should have at least ", *schema.min_items, " items")));
    }
    if (schema.max_items && size > *schema.max_items) {
      Add(FieldInvalid(path, size, absl::StrCat("must have at most ", *schema.max_items, " items")));
    }
    std::set<std::string> seen;
    for (size_t i = 0; i < value.size(); ++i) {
      if (schema.unique_items && !seen.insert(DumpJson(value[i])).second) {
        Add(FieldDuplicate(Item(path, i), value[i]));
      }
      if (!schema.merge_key.empty() && dialect_ == Dialect::kStructural) {
        const Json* key = FindPath(value[i], {schema.merge_key});
        if (key != nullptr && !seen.insert(DumpJson(*key)).second) {
          Add(FieldDuplicate(Item(path, i), Json{{schema.merge_key, *key}}));
        }
      }
      if (schema.items != nullptr) Check(*schema.items, value[i], Item(path, i), false);
    }
  }

  void CheckObject(const Schema& schema, const Json& value, const std::string& path, bool root) {
    for (const std::string& name : schema.required) {
      if (root && IsMeta(name)) continue;
      const auto member = value.find(name);
      const bool missing = member == value.end() || member->is_null() ||
                           (dialect_ == Dialect::kGo && (member->is_string() || member->is_array()) &&
                            (*member == "" || (member->is_array() && member->empty())));
      if (missing) Add(FieldRequired(Member(path, name)));
    }
    const int64_t size = static_cast<int64_t>(value.size());
    if (schema.min_properties && size < *schema.min_properties) {
      Add(FieldInvalid(path, size, absl::StrCat(path, " in body should have at least ", *schema.min_properties, " properties")));
    }
    if (schema.max_properties && size > *schema.max_properties) {
      Add(FieldInvalid(path, size, absl::StrCat("must have at most ", *schema.max_properties, " properties")));
    }
    for (const auto& [name, member] : value.items()) {
      if (root && dialect_ == Dialect::kStructural && IsMeta(name)) continue;
      const auto known = schema.properties.find(name);
      if (known != schema.properties.end()) {
        Check(*known->second, member, Member(path, name), false);
      } else if (schema.additional != nullptr) {
        Check(*schema.additional, member, dialect_ == Dialect::kGo ? MapItem(path, name) : Member(path, name), false);
      }
    }
  }

  // How many complaints `schema` has about `value`.
  bool Fits(const Schema& schema, const Json& value, const std::string& path) const {
    std::vector<FieldError> errors;
    Validator(dialect_, errors).Check(schema, value, path, false);
    return errors.empty();
  }

  void CheckCombinations(const Schema& schema, const Json& value, const std::string& path) {
    for (const SchemaPtr& each : schema.all_of) Check(*each, value, path, false);
    const auto fits = [&](const SchemaPtr& s) { return Fits(*s, value, path); };
    if (!schema.any_of.empty() && std::none_of(schema.any_of.begin(), schema.any_of.end(), fits)) {
      Add(FieldInvalid(path, JsonTypeName(value), absl::StrCat(path, " in body must validate at least one schema (anyOf)")));
    }
    if (!schema.one_of.empty() && std::count_if(schema.one_of.begin(), schema.one_of.end(), fits) != 1) {
      Add(FieldInvalid(path, JsonTypeName(value), absl::StrCat(path, " in body must validate one and only one schema (oneOf)")));
    }
    if (schema.not_ != nullptr && fits(schema.not_)) {
      Add(FieldInvalid(path, JsonTypeName(value), absl::StrCat(path, " in body must not validate the schema (not)")));
    }
  }

  const Dialect dialect_;
  std::vector<FieldError>& errors_;
};

}  // namespace

void PruneUnknown(const Schema& schema, Dialect dialect, Json& value, std::vector<std::string>& unknown) {
  Prune(schema, dialect, value, "", true, unknown);
}

void ApplyDefaults(const Schema& schema, Dialect dialect, Json& value) {
  if (value.is_array() && schema.items != nullptr) {
    for (Json& item : value) ApplyDefaults(*schema.items, dialect, item);
    return;
  }
  if (!value.is_object()) return;
  for (const auto& [name, type] : schema.properties) {
    const auto member = value.find(name);
    const bool absent = member == value.end() || (member->is_null() && !type->nullable) ||
                        (dialect == Dialect::kGo && member->is_string() && member->get_ref<const std::string&>().empty());
    if (absent) {
      if (!type->default_value.has_value()) continue;
      value[name] = *type->default_value;
    }
    ApplyDefaults(*type, dialect, value[name]);
  }
  if (schema.additional != nullptr) {
    for (auto& [name, member] : value.items()) {
      if (schema.properties.count(name) == 0) ApplyDefaults(*schema.additional, dialect, member);
    }
  }
}

absl::Status CheckTypes(const Schema& schema, const Json& value) {
  return CheckAt(schema, value, schema.name.substr(schema.name.rfind('.') + 1), "");
}

void Validate(const Schema& schema, Dialect dialect, const Json& value, absl::string_view path,
              std::vector<FieldError>& errors) {
  Validator(dialect, errors).Check(schema, value, std::string(path), path.empty());
}

}  // namespace skerry::kubeapi
