#include "services/lib/kubeapi/schema.h"

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
    const Schema* type =
        known != schema.properties.end() ? known->second.get() : schema.additional.get();
    const bool meta =
        (schema.embedded_resource || (root && dialect == Dialect::kStructural)) && IsMeta(name);
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
      return absl::StrCat("[]",
                          schema.items != nullptr ? GoTypeName(*schema.items) : "interface {}");
    case Type::kObject:
      if (schema.additional != nullptr)
        return absl::StrCat("map[string]", GoTypeName(*schema.additional));
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
      !(value.is_string() && CanonicalQuantity(value.get<std::string>()).has_value()) &&
      !value.is_number()) {
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
  if (schema.type == Type::kString && schema.format == "date-time" &&
      !value.get<std::string>().empty()) {
    absl::Time time;
    if (!absl::ParseTime(absl::RFC3339_full, value.get<std::string>(), &time, nullptr)) {
      return BadRequestError(absl::StrCat("parsing time \"", value.get<std::string>(),
                                          "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse (",
                                          path, ")"));
    }
  }
  const std::string self = schema.name.substr(schema.name.rfind('.') + 1);
  if (value.is_array() && schema.items != nullptr) {
    for (const Json& item : value)
      SKERRY_RETURN_IF_ERROR(CheckAt(*schema.items, item, owner, path));
  } else if (value.is_object()) {
    for (const auto& [name, member] : value.items()) {
      const auto known = schema.properties.find(name);
      const Schema* type =
          known != schema.properties.end() ? known->second.get() : schema.additional.get();
      if (type == nullptr) continue;
      SKERRY_RETURN_IF_ERROR(
          CheckAt(*type, member, self.empty() ? owner : self, Member(path, name)));
    }
  }
  return absl::OkStatus();
}

}  // namespace

void PruneUnknown(const Schema& schema, Dialect dialect, Json& value,
                  std::vector<std::string>& unknown) {
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
                        (dialect == Dialect::kGo && member->is_string() &&
                         member->get_ref<const std::string&>().empty());
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

}  // namespace skerry::kubeapi
