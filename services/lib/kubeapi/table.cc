#include "services/lib/kubeapi/table.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {

absl::StatusOr<IncludeObject> ParseIncludeObject(absl::string_view text) {
  if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
  if (text == "None") return IncludeObject::kNone;
  if (text == "Object") return IncludeObject::kObject;
  return BadRequestError(absl::StrCat("unrecognized includeObject value: \"", text, "\""));
}

Json MakePartial(const Json& object) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", ObjectAt(object, {"metadata"})}};
}

Json MakeTable(const Resource& resource, const std::vector<Json>& objects, IncludeObject include,
               absl::Time now, bool columns) {
  Json table = {{"kind", "Table"},
                {"apiVersion", "meta.k8s.io/v1"},
                {"metadata", Json::object()},
                {"columnDefinitions", Json::array()},
                {"rows", Json::array()}};
  if (columns) {
    for (const Column& column : resource.columns) {
      table["columnDefinitions"].push_back({{"name", column.name},
                                            {"type", column.type},
                                            {"format", column.format},
                                            {"description", column.description},
                                            {"priority", column.priority}});
    }
  }
  for (const Json& object : objects) {
    Json row = {{"cells", resource.cells(object, now)}};
    if (include == IncludeObject::kObject) {
      row["object"] = object;
    } else if (include == IncludeObject::kMetadata) {
      row["object"] = MakePartial(object);
    } else {
      row["object"] = nullptr;
    }
    table["rows"].push_back(std::move(row));
  }
  return table;
}

}  // namespace skerry::kubeapi
