// Typed reading of a JSON document that nobody has checked. For .cc files: it includes
// nlohmann/json.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_JSON_READER_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_JSON_READER_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"

namespace skerry::edged {

// A view of one JSON object. A field of the wrong type is an error; the first one found is kept in
// the shared status and reading goes on with defaults, so that callers read straight through and
// check once. An absent field and null are the default. Not thread-safe; the document outlives it.
class JsonReader {
 public:
  using Json = nlohmann::json;

  JsonReader(const Json* value, std::string path, absl::Status* status)
      : value_(value), path_(std::move(path)), status_(status) {
    if (value_ != nullptr && !value_->is_null() && !value_->is_object()) {
      Fail(path_, "an object");
      value_ = nullptr;
    }
    if (value_ != nullptr && value_->is_null()) value_ = nullptr;
  }

  bool present() const { return value_ != nullptr; }
  const std::string& path() const { return path_; }
  bool Has(const char* name) const { return Find(name) != nullptr; }

  std::string Str(const char* name, absl::string_view otherwise = "") const {
    const Json* v = Find(name);
    if (v == nullptr) return std::string(otherwise);
    if (!v->is_string()) {
      Fail(Path(name), "a string");
      return std::string(otherwise);
    }
    return v->get<std::string>();
  }
  bool Bool(const char* name, bool otherwise = false) const {
    const Json* v = Find(name);
    if (v == nullptr) return otherwise;
    if (!v->is_boolean()) {
      Fail(Path(name), "true or false");
      return otherwise;
    }
    return v->get<bool>();
  }
  std::optional<int64_t> Int(const char* name, int64_t min = 0,
                             int64_t max = std::numeric_limits<int64_t>::max()) const {
    const Json* v = Find(name);
    if (v == nullptr) return std::nullopt;
    if (!v->is_number_integer() ||
        (v->is_number_unsigned() && v->get<uint64_t>() > uint64_t{1} << 62) ||
        v->get<int64_t>() < min || v->get<int64_t>() > max) {
      Fail(Path(name), absl::StrCat("an integer from ", min, " to ", max));
      return std::nullopt;
    }
    return v->get<int64_t>();
  }
  JsonReader Object(const char* name) const { return {Find(name), Path(name), status_}; }
  std::vector<std::string> Strings(const char* name) const {
    std::vector<std::string> out;
    EachValue(name, [&](const Json& v, const std::string& path) {
      if (v.is_string()) {
        out.push_back(v.get<std::string>());
      } else {
        Fail(path, "a string");
      }
    });
    return out;
  }
  std::map<std::string, std::string> StringMap(const char* name) const {
    std::map<std::string, std::string> out;
    const Json* v = Find(name);
    if (v == nullptr) return out;
    if (!v->is_object()) {
      Fail(Path(name), "an object");
      return out;
    }
    for (auto it = v->begin(); it != v->end(); ++it) {
      if (it->is_string()) {
        out[it.key()] = it->get<std::string>();
      } else {
        Fail(absl::StrCat(Path(name), ".", it.key()), "a string");
      }
    }
    return out;
  }
  void EachValue(const char* name,
                 const std::function<void(const Json&, const std::string&)>& visit) const {
    const Json* v = Find(name);
    if (v == nullptr) return;
    if (!v->is_array()) return Fail(Path(name), "a list");
    for (size_t i = 0; i < v->size(); ++i) visit((*v)[i], absl::StrCat(Path(name), "[", i, "]"));
  }
  void Each(const char* name, const std::function<void(const JsonReader&)>& visit) const {
    EachValue(name, [&](const Json& v, const std::string& path) {
      visit(JsonReader(&v, path, status_));
    });
  }
  const Json* Find(const char* name) const {
    if (value_ == nullptr) return nullptr;
    const auto it = value_->find(name);
    return it == value_->end() || it->is_null() ? nullptr : &*it;
  }
  std::string Path(absl::string_view name) const {
    return path_.empty() ? std::string(name) : absl::StrCat(path_, ".", name);
  }

  void Fail(absl::string_view field, absl::string_view expected) const {
    Refuse(field, absl::StrCat("must be ", expected));
  }
  void Refuse(absl::string_view field, absl::string_view why) const {
    if (!status_->ok()) return;
    *status_ = skerry::Error(absl::StatusCode::kInvalidArgument, absl::StrCat(field, " ", why))
                   .Reason("POD_INVALID")
                   .Meta("field", field);
  }

 private:
  const Json* value_;
  std::string path_;
  absl::Status* status_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_JSON_READER_H_
