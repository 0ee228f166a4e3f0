#include "services/lib/kubeapi/auth/yaml_fields.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kTextBytesMax = 1u << 20;

}  // namespace

absl::Status ReadYamlText(absl::string_view text,
                          const std::function<absl::Status(const YAML::Node&)>& read) {
  if (text.size() > kTextBytesMax)
    return absl::InvalidArgumentError("the file is larger than 1 MiB");
  try {
    return read(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("line ", error.mark.line + 1, ": ", error.msg));
  } catch (const std::exception& error) {
    return absl::InvalidArgumentError(absl::StrCat("not readable as YAML: ", error.what()));
  }
}

absl::Status YamlError(const YAML::Node& node, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat("line ", node.Mark().line + 1, ": ", message));
}

absl::Status CheckKeys(const YAML::Node& node, std::initializer_list<absl::string_view> keys) {
  if (!node.IsMap())
    return YamlError(node, absl::StrCat("a map with ", absl::StrJoin(keys, ", "), " is needed"));
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (std::find(keys.begin(), keys.end(), absl::string_view(key)) == keys.end()) {
      return YamlError(entry.first, absl::StrCat("unknown key \"", key, "\", known are ",
                                                 absl::StrJoin(keys, ", ")));
    }
    const auto same = [&](const auto& other) { return other.first.Scalar() == key; };
    if (std::count_if(node.begin(), node.end(), same) > 1) {
      return YamlError(entry.first, absl::StrCat("the key \"", key, "\" is given twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status ReadStrings(const YAML::Node& node, absl::string_view key,
                         std::vector<std::string>& strings) {
  const YAML::Node list = node[std::string(key)];
  if (!list.IsDefined()) return absl::OkStatus();
  if (!list.IsSequence()) return YamlError(list, absl::StrCat(key, " must be a list"));
  for (const YAML::Node& item : list) {
    if (!item.IsScalar())
      return YamlError(item, absl::StrCat("the items of ", key, " must be strings"));
    strings.push_back(item.Scalar());
  }
  return absl::OkStatus();
}

absl::Status ReadString(const YAML::Node& node, absl::string_view key, std::string& value) {
  const YAML::Node scalar = node[std::string(key)];
  if (!scalar.IsDefined()) return absl::OkStatus();
  if (!scalar.IsScalar()) return YamlError(scalar, absl::StrCat(key, " must be a string"));
  value = scalar.Scalar();
  return absl::OkStatus();
}

}  // namespace skerry::kubeapi
