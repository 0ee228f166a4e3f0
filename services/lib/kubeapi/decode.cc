#include "services/lib/kubeapi/decode.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kWarningsMax = 20;

absl::Status CannotHandle(const Resource& resource, absl::string_view why) {
  return BadRequestError(absl::StrCat(resource.kind, " in version \"", resource.version,
                                      "\" cannot be handled as a ", resource.kind, ": ", why));
}

absl::Status CheckIdentity(const Resource& resource, Json& body) {
  for (const auto& [name, want] :
       {std::pair<const char*, std::string>{"apiVersion", resource.ApiVersion()},
        {"kind", resource.kind}}) {
    const auto member = body.find(name);
    if (member == body.end() || member->is_null() || *member == "") {
      body[name] = want;
    } else if (*member != want) {
      const std::string got = member->is_string() ? member->get<std::string>() : DumpJson(*member);
      return BadRequestError(name == std::string("kind")
                                 ? absl::StrCat("the kind in the data (", got,
                                                ") does not match the expected kind (", want, ")")
                                 : absl::StrCat("the API version in the data (", got,
                                                ") does not match the expected API version (", want,
                                                ")"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FieldValidation> ParseFieldValidation(absl::string_view text) {
  if (text.empty() || text == "Warn") return FieldValidation::kWarn;
  if (text == "Ignore") return FieldValidation::kIgnore;
  if (text == "Strict") return FieldValidation::kStrict;
  return ApiError(422, "Invalid",
                  absl::StrCat("fieldValidation: Unsupported value: \"", text,
                               "\": supported values: \"Ignore\", \"Strict\", \"Warn\""));
}

absl::StatusOr<Json> DecodeObject(const Resource& resource, const Schema& meta, Json body,
                                  FieldValidation validation, std::vector<std::string>& warnings) {
  if (!body.is_object()) return BadRequestError("the body of the request must be a JSON object");
  SKERRY_RETURN_IF_ERROR(CheckIdentity(resource, body));
  std::vector<std::string> unknown;
  if (resource.dialect == Dialect::kGo) {
    if (const absl::Status types = CheckTypes(*resource.schema, body); !types.ok()) {
      return CannotHandle(resource, types.message());
    }
    PruneUnknown(*resource.schema, Dialect::kGo, body, unknown);
  } else {
    PruneUnknown(*resource.schema, Dialect::kStructural, body, unknown);
    Json& metadata = body["metadata"];
    if (metadata.is_null()) metadata = Json::object();
    if (!metadata.is_object()) return CannotHandle(resource, "metadata must be an object");
    if (const absl::Status types = CheckTypes(meta, metadata); !types.ok()) {
      return CannotHandle(resource, types.message());
    }
    std::vector<std::string> unknown_meta;
    PruneUnknown(meta, Dialect::kGo, metadata, unknown_meta);
    for (const std::string& name : unknown_meta) unknown.push_back("metadata." + name);
  }
  if (!body["metadata"].is_object()) body["metadata"] = Json::object();
  if (unknown.empty() || validation == FieldValidation::kIgnore) return body;
  std::vector<std::string> texts;
  for (const std::string& name : unknown)
    texts.push_back(absl::StrCat("unknown field \"", name, "\""));
  if (validation == FieldValidation::kStrict) {
    return CannotHandle(resource,
                        absl::StrCat("strict decoding error: ", absl::StrJoin(texts, ", ")));
  }
  for (std::string& text : texts) {
    if (warnings.size() < kWarningsMax) warnings.push_back(std::move(text));
  }
  return body;
}

}  // namespace skerry::kubeapi
