// A YAML file flattened to settings.
#ifndef SKERRY_SERVICES_LIB_CONFIG_YAML_FILE_H_
#define SKERRY_SERVICES_LIB_CONFIG_YAML_FILE_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace skerry::config {

struct YamlEntry {
  std::string key;                  // "link.heartbeat_interval"
  std::vector<std::string> values;  // One, or a list's items.
  bool is_list = false;
  int line = 0;
};

// The entries of the file in order. Maps are followed where their key is in `sections`; other keys
// become entries, known (in `names`) or not. Errors name file and line.
absl::StatusOr<std::vector<YamlEntry>> ReadYaml(const std::string& path,
                                                const std::set<std::string>& names,
                                                const std::set<std::string>& sections);

}  // namespace skerry::config

#endif  // SKERRY_SERVICES_LIB_CONFIG_YAML_FILE_H_
