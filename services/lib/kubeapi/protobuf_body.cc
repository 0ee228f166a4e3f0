#include "services/lib/kubeapi/protobuf_body.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::kubeapi {
namespace {

using Type = Schema::Type;

constexpr absl::string_view kMagic("k8s\0", 4);
constexpr int64_t kYear9999 = 253402300799;

absl::Status Malformed() {
  return Error(absl::StatusCode::kInvalidArgument, "the protobuf body is malformed");
}

// One field as it lies on the wire.
struct Field {
  uint32_t number = 0;
  bool is_bytes = false;
  uint64_t varint = 0;
  absl::string_view bytes;
};

// Walks the fields of one message.
class Reader {
 public:
  explicit Reader(absl::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  absl::StatusOr<Field> Next() {
    Field field;
    SKERRY_ASSIGN_OR_RETURN(const uint64_t tag, Varint());
    if (tag >> 3 == 0 || tag >> 3 > UINT32_MAX) return Malformed();
    field.number = static_cast<uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0: {
        SKERRY_ASSIGN_OR_RETURN(field.varint, Varint());
        return field;
      }
      case 2: {
        SKERRY_ASSIGN_OR_RETURN(const uint64_t size, Varint());
        if (size > rest_.size()) return Malformed();
        field.is_bytes = true;
        field.bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return field;
      }
      default:
        return Malformed();  // No field of these types is fixed-width.
    }
  }

 private:
  absl::StatusOr<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return Malformed();
      const uint8_t byte = static_cast<uint8_t>(rest_[0]);
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    return Malformed();
  }

  absl::string_view rest_;
};

// {seconds = 1, nanos = 2}; an empty message is no time at all.
absl::StatusOr<Json> Time(absl::string_view bytes) {
  if (bytes.empty()) return Json(nullptr);
  int64_t seconds = 0;
  int64_t nanos = 0;
  Reader reader(bytes);
  while (!reader.done()) {
    SKERRY_ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.number == 1) seconds = static_cast<int64_t>(field.varint);
    if (field.number == 2) nanos = static_cast<int64_t>(field.varint);
  }
  if (seconds < 0 || seconds > kYear9999 || nanos < 0 || nanos > 999999999) return Malformed();
  const absl::Time time = absl::FromUnixSeconds(seconds) + absl::Nanoseconds(nanos);
  return Json(absl::FormatTime(nanos == 0 ? "%Y-%m-%d%ET%H:%M:%SZ" : "%Y-%m-%d%ET%H:%M:%E6SZ", time,
                               absl::UTCTimeZone()));
}

absl::StatusOr<Json> Message(const Schema& schema, absl::string_view bytes);

absl::StatusOr<Json> Value(const Schema& schema, const Field& field) {
  switch (schema.type) {
    case Type::kString:
      if (!field.is_bytes) return Malformed();
      if (schema.format == "date-time") return Time(field.bytes);
      if (schema.format == "byte") return Json(absl::Base64Escape(field.bytes));
      return Json(std::string(field.bytes));
    case Type::kInteger:
      if (field.is_bytes) return Malformed();
      return Json(schema.format == "int32"
                      ? static_cast<int64_t>(static_cast<int32_t>(field.varint))
                      : static_cast<int64_t>(field.varint));
    case Type::kBoolean:
      if (field.is_bytes) return Malformed();
      return Json(field.varint != 0);
    case Type::kObject:
      if (!field.is_bytes) return Malformed();
      if (schema.preserve_unknown) return Json(nullptr);  // managedFields: not kept anyway.
      return Message(schema, field.bytes);
    default:
      return Error(absl::StatusCode::kUnimplemented, "a field has no protobuf form here");
  }
}

absl::Status MapEntry(const Schema& schema, absl::string_view bytes, Json& map) {
  std::string key;
  Field value;
  value.is_bytes = true;
  Reader reader(bytes);
  while (!reader.done()) {
    SKERRY_ASSIGN_OR_RETURN(const Field field, reader.Next());
    if (field.number == 1) key = std::string(field.bytes);
    if (field.number == 2) value = field;
  }
  SKERRY_ASSIGN_OR_RETURN(map[key], Value(*schema.additional, value));
  return absl::OkStatus();
}

// Recursion is bounded by the schema, which has no cycles.
absl::StatusOr<Json> Message(const Schema& schema, absl::string_view bytes) {
  Json object = Json::object();
  Reader reader(bytes);
  while (!reader.done()) {
    SKERRY_ASSIGN_OR_RETURN(const Field field, reader.Next());
    const auto name = schema.proto_fields.find(field.number);
    if (name == schema.proto_fields.end()) {
      return Error(absl::StatusCode::kUnimplemented,
                   absl::StrCat("field ", field.number, " has no meaning here"));
    }
    const Schema& type = *schema.properties.at(name->second);
    if (type.type == Type::kArray) {
      SKERRY_ASSIGN_OR_RETURN(Json item, Value(*type.items, field));
      object[name->second].push_back(std::move(item));
    } else if (type.type == Type::kObject && type.additional != nullptr) {
      if (!field.is_bytes) return Malformed();
      SKERRY_RETURN_IF_ERROR(MapEntry(type, field.bytes, object[name->second]));
    } else {
      SKERRY_ASSIGN_OR_RETURN(Json value, Value(type, field));
      // Go writes every member that is no pointer; an empty string or time there is an absent one.
      if (value.is_null() || (value.is_string() && value.get_ref<const std::string&>().empty()))
        continue;
      object[name->second] = std::move(value);
    }
  }
  return object;
}

}  // namespace

bool HasProtobufForm(const Schema& schema) { return !schema.proto_fields.empty(); }

absl::StatusOr<Json> DecodeProtobufBody(const Schema& schema, absl::string_view body) {
  if (!HasProtobufForm(schema)) {
    return Error(absl::StatusCode::kUnimplemented, "this kind has no protobuf form here");
  }
  if (body.substr(0, kMagic.size()) != kMagic) return Malformed();
  absl::string_view raw;
  std::string api_version;
  std::string kind;
  Reader envelope(body.substr(kMagic.size()));
  while (!envelope.done()) {
    SKERRY_ASSIGN_OR_RETURN(const Field field, envelope.Next());
    if (field.number == 2) raw = field.bytes;
    if (field.number != 1) continue;
    Reader type_meta(field.bytes);
    while (!type_meta.done()) {
      SKERRY_ASSIGN_OR_RETURN(const Field part, type_meta.Next());
      if (part.number == 1) api_version = std::string(part.bytes);
      if (part.number == 2) kind = std::string(part.bytes);
    }
  }
  SKERRY_ASSIGN_OR_RETURN(Json object, Message(schema, raw));
  object["apiVersion"] = api_version;
  object["kind"] = kind;
  // Strings come as bytes: make sure that they are text.
  if (!ParseJson(DumpJson(object)).ok()) return Malformed();
  return object;
}

}  // namespace skerry::kubeapi
