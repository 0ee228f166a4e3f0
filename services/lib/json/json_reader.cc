#include "services/lib/json/json_reader.h"

#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry {
namespace {

const char* KindOf(const nlohmann::json* value) {
  if (value == nullptr) return "missing";
  if (value->is_null()) return "null";
  if (value->is_object()) return "an object";
  if (value->is_array()) return "a list";
  if (value->is_string()) return "a string";
  if (value->is_boolean()) return "a boolean";
  if (value->is_number()) return "a number";
  return "not JSON";
}

// Keys are the user's: neither their length nor their bytes may spoil a log.
std::string Shown(absl::string_view name) {
  constexpr size_t kShown = 100;
  return absl::StrCat(absl::CHexEscape(name.substr(0, kShown)), name.size() > kShown ? "..." : "");
}

}  // namespace

JsonReader::JsonReader(const Json& document, absl::string_view reason, absl::Status& status)
    : JsonReader(&document, "", reason, &status) {
  if (document.is_null()) RefuseAt("", &document, ", must be an object");
}

JsonReader::JsonReader(const Json* value, std::string path, absl::string_view reason,
                       absl::Status* status)
    : value_(value), path_(std::move(path)), reason_(reason), status_(status) {
  if (value_ == nullptr || value_->is_object()) return;
  if (!value_->is_null()) RefuseAt(path_, value_, ", must be an object");
  value_ = nullptr;
}

std::string JsonReader::Str(const char* name) const {
  const Json* v = Find(name);
  if (v == nullptr) return "";
  if (v->is_string()) return v->get<std::string>();
  Refuse(name, ", must be a string");
  return "";
}

std::string JsonReader::RequiredStr(const char* name) const {
  std::string value = Str(name);
  if (value.empty()) RefuseAt(Path(name), nullptr, " or empty, must be a string that is not empty");
  return value;
}

bool JsonReader::Bool(const char* name) const {
  const Json* v = Find(name);
  if (v == nullptr) return false;
  if (v->is_boolean()) return v->get<bool>();
  Refuse(name, ", must be true or false, without quotes");
  return false;
}

int32_t JsonReader::Int32(const char* name) const {
  using Limits = std::numeric_limits<int32_t>;
  return static_cast<int32_t>(Int(name, Limits::min(), Limits::max()));
}

int64_t JsonReader::Int64(const char* name) const {
  using Limits = std::numeric_limits<int64_t>;
  return Int(name, Limits::min(), Limits::max());
}

int64_t JsonReader::Int(const char* name, int64_t min, int64_t max) const {
  const Json* v = Find(name);
  if (v == nullptr) return 0;
  const bool fits = v->is_number_unsigned() ? v->get<uint64_t>() <= static_cast<uint64_t>(max)
                                            : v->is_number_integer() && v->get<int64_t>() >= min &&
                                                  v->get<int64_t>() <= max;
  if (fits) return v->get<int64_t>();
  Refuse(name, absl::StrCat(", must be an integer from ", min, " to ", max, ", without quotes"));
  return 0;
}

std::vector<std::string> JsonReader::Strings(const char* name) const {
  std::vector<std::string> out;
  const Json* v = Find(name);
  if (v == nullptr) return out;
  if (!v->is_array()) {
    Refuse(name, ", must be a list of strings");
    return out;
  }
  for (size_t i = 0; i < v->size(); ++i) {
    const Json& item = (*v)[i];
    if (item.is_string()) {
      out.push_back(item.get<std::string>());
    } else {
      RefuseAt(absl::StrCat(Path(name), "[", i, "]"), &item, ", must be a string");
    }
  }
  return out;
}

std::map<std::string, std::string> JsonReader::StringMap(const char* name) const {
  std::map<std::string, std::string> out;
  const JsonReader object = Object(name);
  object.EachMember([&](const std::string& key, const Json& value) {
    if (value.is_string()) {
      out[key] = value.get<std::string>();
    } else {
      object.Refuse(key, ", must be a string");
    }
  });
  return out;
}

JsonReader JsonReader::Object(const char* name) const {
  return {Find(name), Path(name), reason_, status_};
}

void JsonReader::Each(const char* name, const std::function<void(const JsonReader&)>& visit) const {
  const Json* v = Find(name);
  if (v == nullptr) return;
  if (!v->is_array()) return Refuse(name, ", must be a list of objects");
  for (size_t i = 0; i < v->size(); ++i)
    visit(JsonReader(&(*v)[i], absl::StrCat(Path(name), "[", i, "]"), reason_, status_));
}

void JsonReader::EachMember(
    const std::function<void(const std::string&, const Json&)>& visit) const {
  if (value_ == nullptr) return;
  for (auto it = value_->begin(); it != value_->end(); ++it) visit(it.key(), it.value());
}

void JsonReader::Refuse(absl::string_view name, absl::string_view why) const {
  const Json* value = nullptr;
  if (value_ != nullptr) {
    const auto it = value_->find(std::string(name));
    if (it != value_->end()) value = &*it;
  }
  RefuseAt(Path(Shown(name)), value, why);
}

void JsonReader::RefuseAt(absl::string_view path, const Json* value, absl::string_view why) const {
  if (!status_->ok()) return;
  const absl::string_view field = path.empty() ? "the document" : path;
  *status_ =
      Error(absl::StatusCode::kInvalidArgument, absl::StrCat(field, " is ", KindOf(value), why))
          .Reason(reason_)
          .Meta("field", field)
          .Meta("kind", KindOf(value));
}

const nlohmann::json* JsonReader::Find(const char* name) const {
  if (value_ == nullptr) return nullptr;
  const auto it = value_->find(name);
  return it == value_->end() || it->is_null() ? nullptr : &*it;
}

std::string JsonReader::Path(absl::string_view name) const {
  return path_.empty() ? std::string(name) : absl::StrCat(path_, ".", name);
}

}  // namespace skerry
