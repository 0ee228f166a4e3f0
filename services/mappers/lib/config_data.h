// Settings of a device or a property that only its driver understands (configData).
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CONFIG_DATA_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CONFIG_DATA_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"

namespace skerry::mapper {

// A value: copied, compared, read from any thread. Names are as in the manifest. A setting that is
// not there is the default; one of another type is INVALID_ARGUMENT / INVALID_FIELD with its name.
// Text that reads as a number or as true or false is one: manifests quote them often.
class ConfigData {
 public:
  ConfigData() = default;
  // `path` begins the names in errors: "visitors.configData".
  static absl::StatusOr<ConfigData> Parse(const v1beta1::CustomizedValue& data,
                                          absl::string_view path);

  bool Has(absl::string_view name) const;
  absl::StatusOr<std::string> String(absl::string_view name, absl::string_view otherwise) const;
  absl::StatusOr<bool> Bool(absl::string_view name, bool otherwise) const;
  absl::StatusOr<int64_t> Int(absl::string_view name, int64_t otherwise) const;   // A whole number.
  absl::StatusOr<double> Number(absl::string_view name, double otherwise) const;  // Finite.

  bool operator==(const ConfigData&) const = default;

 private:
  using Value = std::variant<std::string, bool, int64_t, double>;

  const Value* Find(absl::string_view name) const;
  absl::Status Wrong(absl::string_view name, const Value& value, absl::string_view fix) const;

  std::string path_;
  std::map<std::string, Value> values_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CONFIG_DATA_H_
