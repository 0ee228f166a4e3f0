// Strict reading of small YAML files: unknown keys and wrong shapes are errors that name their
// line.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_AUTH_YAML_FIELDS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_AUTH_YAML_FIELDS_H_

#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace YAML {
class Node;
}

namespace skerry::kubeapi {

// Parses `text` and hands its root to `read`. What yaml-cpp throws in either becomes
// INVALID_ARGUMENT with the line. At most 1 MiB.
absl::Status ReadYamlText(absl::string_view text,
                          const std::function<absl::Status(const YAML::Node&)>& read);

// "line 7: message".
absl::Status YamlError(const YAML::Node& node, absl::string_view message);
// `node` is a map with no other keys than these.
absl::Status CheckKeys(const YAML::Node& node, std::initializer_list<absl::string_view> keys);
// The list of strings at `key`; none where it is absent. A single string is an error: a list was
// meant.
absl::Status ReadStrings(const YAML::Node& node, absl::string_view key,
                         std::vector<std::string>& strings);
// The string at `key`; empty where it is absent.
absl::Status ReadString(const YAML::Node& node, absl::string_view key, std::string& value);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_AUTH_YAML_FIELDS_H_
