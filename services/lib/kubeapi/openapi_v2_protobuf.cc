#include "services/lib/kubeapi/openapi_v2_protobuf.h"

#include <cstdint>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace skerry::kubeapi {
namespace {

// Field numbers of openapi.v2, those that are written here.
enum Document { kSwagger = 1, kInfo = 2, kDefinitions = 9 };
enum Info { kInfoTitle = 1, kInfoVersion = 2 };
enum Named { kName = 1, kValue = 2 };  // NamedSchema, NamedAny.
enum Additional { kAdditionalSchema = 1, kAdditionalBool = 2 };
enum Any { kYaml = 2 };
enum SchemaField {
  kRef = 1,
  kFormat = 2,
  kDescription = 4,
  kRequired = 19,
  kAdditionalProperties = 21,
  kType = 22,
  kItems = 23,
  kAllOf = 24,
  kProperties = 25,
  kVendorExtension = 31,
};
constexpr int kOnly = 1;  // The one field of Definitions, Properties, TypeItem and ItemsItem.

void Varint(std::string& out, uint64_t value) {
  for (; value > 0x7f; value >>= 7) out.push_back(static_cast<char>((value & 0x7f) | 0x80));
  out.push_back(static_cast<char>(value));
}

void Bytes(std::string& out, int field, absl::string_view bytes) {
  Varint(out, static_cast<uint64_t>(field) << 3 | 2);
  Varint(out, bytes.size());
  out.append(bytes.data(), bytes.size());
}

void Bool(std::string& out, int field, bool value) {
  Varint(out, static_cast<uint64_t>(field) << 3);
  Varint(out, value);
}

void Text(std::string& out, int field, const Json& object, const char* member) {
  auto it = object.find(member);
  if (it != object.end() && it->is_string()) Bytes(out, field, it->get_ref<const std::string&>());
}

std::string EncodeNamed(absl::string_view name, absl::string_view value) {
  std::string out;
  Bytes(out, kName, name);
  Bytes(out, kValue, value);
  return out;
}

std::string EncodeSchema(const Json& schema);

std::string EncodeSchemas(const Json& by_name) {
  std::string out;
  for (const auto& [name, schema] : by_name.items()) {
    Bytes(out, kOnly, EncodeNamed(name, EncodeSchema(schema)));
  }
  return out;
}

std::string EncodeSchema(const Json& schema) {
  std::string out;
  if (!schema.is_object()) return out;
  Text(out, kRef, schema, "$ref");
  Text(out, kFormat, schema, "format");
  Text(out, kDescription, schema, "description");
  for (const auto& [member, value] : schema.items()) {
    std::string part;
    if (member == "required") {
      for (const Json& name : value) Bytes(out, kRequired, name.get<std::string>());
    } else if (member == "additionalProperties") {
      if (value.is_boolean()) {
        Bool(part, kAdditionalBool, value.get<bool>());
      } else {
        Bytes(part, kAdditionalSchema, EncodeSchema(value));
      }
      Bytes(out, kAdditionalProperties, part);
    } else if (member == "type" && value.is_string()) {
      Bytes(part, kOnly, value.get_ref<const std::string&>());
      Bytes(out, kType, part);
    } else if (member == "items") {
      Bytes(part, kOnly, EncodeSchema(value));
      Bytes(out, kItems, part);
    } else if (member == "allOf") {
      for (const Json& one : value) Bytes(out, kAllOf, EncodeSchema(one));
    } else if (member == "properties") {
      Bytes(out, kProperties, EncodeSchemas(value));
    } else if (absl::StartsWith(member, "x-")) {
      Bytes(part, kYaml, value.dump());  // JSON is YAML.
      Bytes(out, kVendorExtension, EncodeNamed(member, part));
    }
  }
  return out;
}

}  // namespace

std::string OpenApiV2Protobuf(const Json& document) {
  std::string info;
  Text(info, kInfoTitle, document.at("info"), "title");
  Text(info, kInfoVersion, document.at("info"), "version");
  std::string out;
  Text(out, kSwagger, document, "swagger");
  Bytes(out, kInfo, info);
  Bytes(out, kDefinitions, EncodeSchemas(document.at("definitions")));
  return out;
}

}  // namespace skerry::kubeapi
