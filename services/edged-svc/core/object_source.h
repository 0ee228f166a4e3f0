// ConfigMaps and Secrets, decoded, for those who build environments and volumes from them.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_OBJECT_SOURCE_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_OBJECT_SOURCE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace skerry::edged {

// Keys and their bytes: data and binaryData of a ConfigMap, decoded data of a Secret.
struct KeyedData {
  std::map<std::string, std::string>
      text;  // ConfigMap data, Secret data: also usable in environments.
  std::map<std::string, std::string> binary;  // ConfigMap binaryData: files only.
  std::string type;                           // Of a Secret.
};

class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  // Null: the box does not hold it (or can't decode it).
  virtual std::shared_ptr<const KeyedData> ConfigMap(absl::string_view name_space,
                                                     absl::string_view name) const = 0;
  virtual std::shared_ptr<const KeyedData> Secret(absl::string_view name_space,
                                                  absl::string_view name) const = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_OBJECT_SOURCE_H_
