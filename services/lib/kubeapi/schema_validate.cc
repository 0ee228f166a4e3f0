// What a schema complains about.
#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/schema.h"

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

const char* JsonTypeName(const Json& value) {
  if (value.is_object()) return "object";
  if (value.is_array()) return "array";
  if (value.is_string()) return "string";
  if (value.is_boolean()) return "bool";
  if (value.is_number()) return "number";
  return "null";
}

// Collects complaints; knows when there are enough.
class Validator {
 public:
  Validator(Dialect dialect, std::vector<FieldError>& errors)
      : dialect_(dialect), errors_(errors) {}

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
    if (dialect_ == Dialect::kGo && value.is_string() &&
        value.get_ref<const std::string&>().empty())
      return;
    if (std::find(schema.enum_values.begin(), schema.enum_values.end(), value) !=
        schema.enum_values.end())
      return;
    std::vector<std::string> supported;
    for (const Json& v : schema.enum_values)
      supported.push_back(v.is_string() ? v.get<std::string>() : DumpJson(v));
    Add(FieldNotSupported(path, value.is_string() ? value.get<std::string>() : DumpJson(value),
                          supported));
  }

  void CheckString(const Schema& schema, const Json& value, const std::string& path) {
    const std::string& text = value.get_ref<const std::string&>();
    const int64_t runes =
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
    if (schema.min_length && runes < *schema.min_length) {
      Add(FieldInvalid(
          path, value,
          absl::StrCat(path, " in body should be at least ", *schema.min_length, " chars long")));
    }
    if (schema.max_length && runes > *schema.max_length) {
      Add(FieldInvalid(
          path, value,
          absl::StrCat(path, " in body should be at most ", *schema.max_length, " chars long")));
    }
    if (schema.pattern != nullptr && !RE2::PartialMatch(text, *schema.pattern)) {
      Add(FieldInvalid(path, value,
                       absl::StrCat(path, " in body should match '", schema.pattern_text, "'")));
    }
    if (dialect_ == Dialect::kStructural && schema.format == "date-time") {
      absl::Time time;
      if (!absl::ParseTime(absl::RFC3339_full, text, &time, nullptr)) {
        Add(FieldInvalid(
            path, value,
            absl::StrCat(path, " in body must be of type date-time: ", DumpJson(value))));
      }
    }
  }

  void CheckNumber(const Schema& schema, const Json& value, const std::string& path) {
    const double number = value.get<double>();
    const auto bound = [&](double limit, bool low, bool exclusive) {
      const bool bad = low ? (exclusive ? number <= limit : number < limit)
                           : (exclusive ? number >= limit : number > limit);
      if (!bad) return;
      Add(FieldInvalid(
          path, value,
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
        Add(FieldInvalid(
            path, value,
            absl::StrCat(path, " in body should be a multiple of ", *schema.multiple_of)));
      }
    }
  }

  void CheckArray(const Schema& schema, const Json& value, const std::string& path) {
    const int64_t size = static_cast<int64_t>(value.size());
    if (schema.min_items && size < *schema.min_items) {
      Add(FieldInvalid(
          path, size,
          absl::StrCat(path, " in body should have at least ", *schema.min_items, " items")));
    }
    if (schema.max_items && size > *schema.max_items) {
      Add(FieldInvalid(path, size,
                       absl::StrCat("must have at most ", *schema.max_items, " items")));
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
      const bool missing =
          member == value.end() || member->is_null() ||
          (dialect_ == Dialect::kGo && (member->is_string() || member->is_array()) &&
           (*member == "" || (member->is_array() && member->empty())));
      if (missing) Add(FieldRequired(Member(path, name)));
    }
    const int64_t size = static_cast<int64_t>(value.size());
    if (schema.min_properties && size < *schema.min_properties) {
      Add(FieldInvalid(path, size,
                       absl::StrCat(path, " in body should have at least ", *schema.min_properties,
                                    " properties")));
    }
    if (schema.max_properties && size > *schema.max_properties) {
      Add(FieldInvalid(path, size,
                       absl::StrCat("must have at most ", *schema.max_properties, " properties")));
    }
    for (const auto& [name, member] : value.items()) {
      if (root && dialect_ == Dialect::kStructural && IsMeta(name)) continue;
      const auto known = schema.properties.find(name);
      if (known != schema.properties.end()) {
        Check(*known->second, member, Member(path, name), false);
      } else if (schema.additional != nullptr) {
        Check(*schema.additional, member,
              dialect_ == Dialect::kGo ? MapItem(path, name) : Member(path, name), false);
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
      Add(FieldInvalid(path, JsonTypeName(value),
                       absl::StrCat(path, " in body must validate at least one schema (anyOf)")));
    }
    if (!schema.one_of.empty() &&
        std::count_if(schema.one_of.begin(), schema.one_of.end(), fits) != 1) {
      Add(FieldInvalid(
          path, JsonTypeName(value),
          absl::StrCat(path, " in body must validate one and only one schema (oneOf)")));
    }
    if (schema.not_ != nullptr && fits(schema.not_)) {
      Add(FieldInvalid(path, JsonTypeName(value),
                       absl::StrCat(path, " in body must not validate the schema (not)")));
    }
  }

  const Dialect dialect_;
  std::vector<FieldError>& errors_;
};

}  // namespace

void Validate(const Schema& schema, Dialect dialect, const Json& value, absl::string_view path,
              std::vector<FieldError>& errors) {
  Validator(dialect, errors).Check(schema, value, std::string(path), path.empty());
}

}  // namespace skerry::kubeapi
