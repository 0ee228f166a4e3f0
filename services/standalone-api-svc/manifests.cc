#include "services/standalone-api-svc/manifests.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"

namespace skerry::standaloneapi {
namespace {

using kubeapi::Json;

constexpr int kDepthMax = 100;

Json Scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // Quoted.
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  const bool numeric = text.find_first_not_of("+-0123456789.eE") == std::string::npos &&
                       text.find_first_of("0123456789") != std::string::npos;
  int64_t integer = 0;
  if (numeric && absl::SimpleAtoi(text, &integer)) return integer;
  double number = 0;
  if (numeric && absl::SimpleAtod(text, &number)) return number;
  return text;
}

absl::StatusOr<Json> Convert(const YAML::Node& node, int depth) {
  if (depth > kDepthMax)
    return Error(absl::StatusCode::kInvalidArgument, "the document is nested too deep");
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return Scalar(node);
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const YAML::Node& item : node) {
        SKERRY_ASSIGN_OR_RETURN(Json value, Convert(item, depth + 1));
        list.push_back(std::move(value));
      }
      return list;
    }
    case YAML::NodeType::Map: {
      Json object = Json::object();
      for (const auto& member : node) {
        SKERRY_ASSIGN_OR_RETURN(object[member.first.Scalar()], Convert(member.second, depth + 1));
      }
      return object;
    }
    default:
      return Json(nullptr);
  }
}

int Rank(const Json& manifest) {
  const std::string kind = kubeapi::StringAt(manifest, {"kind"});
  if (kind == "CustomResourceDefinition") return 0;
  return kind == "Namespace" ? 1 : 2;
}

}  // namespace

absl::StatusOr<std::vector<Json>> ParseManifests(absl::string_view text) {
  std::vector<Json> manifests;
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(std::string(text));
  } catch (const YAML::Exception& e) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("line ", e.mark.line + 1, ": ", e.msg));
  }
  for (const YAML::Node& document : documents) {
    SKERRY_ASSIGN_OR_RETURN(Json manifest, Convert(document, 0));
    if (manifest.is_null()) continue;
    if (!manifest.is_object()) {
      return Error(absl::StatusCode::kInvalidArgument, "a manifest must be a mapping");
    }
    if (kubeapi::StringAt(manifest, {"kind"}) == "List") {
      for (const Json& item : kubeapi::ArrayAt(manifest, {"items"})) manifests.push_back(item);
    } else {
      manifests.push_back(std::move(manifest));
    }
  }
  return manifests;
}

absl::StatusOr<std::vector<Json>> ReadManifests(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml" || extension == ".json")
      files.push_back(entry.path().string());
  }
  if (error) {
    return InvalidField("bootstrap.manifests_dir", folder,
                        absl::StrCat("cannot be read: ", error.message()));
  }
  std::sort(files.begin(), files.end());
  std::vector<Json> all;
  for (const std::string& file : files) {
    SKERRY_ASSIGN_OR_RETURN(const std::string text, security::ReadSmallFile(file));
    absl::StatusOr<std::vector<Json>> manifests = ParseManifests(text);
    if (!manifests.ok()) return Annotate(manifests.status(), file);
    all.insert(all.end(), manifests->begin(), manifests->end());
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Json& a, const Json& b) { return Rank(a) < Rank(b); });
  return all;
}

}  // namespace skerry::standaloneapi
