// Typed reading of a JSON document that nobody has checked.
#ifndef SKERRY_SERVICES_LIB_JSON_JSON_READER_H_
#define SKERRY_SERVICES_LIB_JSON_JSON_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace skerry {

// A view of one JSON object inside a document. A field of the wrong type is an error; the first one
// of a document is kept in the shared status and reading goes on with defaults, so that callers
// read straight through and check once. An absent field and null are the default, as in Kubernetes.
// Never throws. Not thread-safe; document, reason and status outlive it.
class JsonReader {
 public:
  using Json = nlohmann::json;

  // The document itself, which has to be an object. `reason` is that of its errors
  // ("DEVICE_INVALID"), as a rule a literal.
  JsonReader(const Json& document, absl::string_view reason, absl::Status& status);

  bool present() const { return value_ != nullptr; }

  std::string Str(const char* name) const;
  std::string RequiredStr(const char* name) const;  // An error where it is absent or empty.
  bool Bool(const char* name) const;
  int32_t Int32(const char* name) const;
  int64_t Int64(const char* name) const;
  std::vector<std::string> Strings(const char* name) const;
  std::map<std::string, std::string> StringMap(const char* name) const;
  JsonReader Object(const char* name) const;
  void Each(const char* name, const std::function<void(const JsonReader& item)>& visit) const;
  // Every member of this object, null too; `Refuse(key, …)` speaks of it.
  void EachMember(
      const std::function<void(const std::string& key, const Json& value)>& visit) const;

  // INVALID_ARGUMENT with the document's reason: "<path of the member> is <kind of its
  // value><why>".
  void Refuse(absl::string_view name, absl::string_view why) const;

 private:
  JsonReader(const Json* value, std::string path, absl::string_view reason, absl::Status* status);

  const Json* Find(const char* name) const;
  int64_t Int(const char* name, int64_t min, int64_t max) const;
  std::string Path(absl::string_view name) const;
  void RefuseAt(absl::string_view path, const Json* value, absl::string_view why) const;

  const Json* value_;  // Null where there is no object.
  std::string path_;   // "spec.properties[2]"; empty for the document.
  absl::string_view reason_;
  absl::Status* status_;
};

}  // namespace skerry

#endif  // SKERRY_SERVICES_LIB_JSON_JSON_READER_H_
