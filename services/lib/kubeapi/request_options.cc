#include "services/lib/kubeapi/request_options.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/media_type.h"
#include "services/lib/kubeapi/protobuf_body.h"
#include "services/lib/kubeapi/request_info.h"

namespace skerry::kubeapi {
namespace {

constexpr char kJsonType[] = "application/json";
constexpr int64_t kListLimitMax = 100000;
constexpr int64_t kWatchSecondsMax = 24 * 3600;

std::string BodyType(const http::Request& request) {
  const std::vector<MediaType> types = ParseMediaTypes(request.Header("content-type"));
  return types.empty() ? "" : types[0].type;
}

absl::Status ReadDryRun(const std::string& text, bool& dry_run) {
  if (text.empty()) return absl::OkStatus();
  if (text != "All") {
    return ApiError(
        422, "Invalid",
        absl::StrCat("dryRun: Unsupported value: \"", text, "\": supported values: \"All\""));
  }
  dry_run = true;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ReadNumber(const http::Request& request, const char* name, int64_t fallback,
                                   int64_t max) {
  const std::optional<std::string> text = request.Query(name);
  if (!text.has_value() || text->empty()) return fallback;
  int64_t value = 0;
  if (!absl::SimpleAtoi(*text, &value) || value < 0) {
    return BadRequestError(absl::StrCat("invalid value of ", name, ": \"", *text, "\""));
  }
  return std::min(value, max);
}

}  // namespace

absl::StatusOr<WriteOptions> ReadWriteOptions(const http::Request& request) {
  WriteOptions options;
  SKERRY_RETURN_IF_ERROR(ReadDryRun(request.Query("dryRun").value_or(""), options.dry_run));
  SKERRY_ASSIGN_OR_RETURN(options.validation,
                          ParseFieldValidation(request.Query("fieldValidation").value_or("")));
  return options;
}

absl::StatusOr<ListOptions> ReadListOptions(const http::Request& request,
                                            const Resource& resource) {
  ListOptions options;
  std::vector<std::string> selectable = {"metadata.name"};
  if (resource.namespaced) selectable.push_back("metadata.namespace");
  selectable.insert(selectable.end(), resource.selectable.begin(), resource.selectable.end());
  SKERRY_ASSIGN_OR_RETURN(options.labels,
                          LabelSelector::Parse(request.Query("labelSelector").value_or("")));
  SKERRY_ASSIGN_OR_RETURN(
      options.fields,
      FieldSelector::Parse(request.Query("fieldSelector").value_or(""), selectable));
  SKERRY_ASSIGN_OR_RETURN(const int64_t limit, ReadNumber(request, "limit", 0, kListLimitMax));
  options.limit = static_cast<size_t>(limit);
  options.continue_token = request.Query("continue").value_or("");
  options.resource_version = request.Query("resourceVersion").value_or("");
  options.resource_version_match = request.Query("resourceVersionMatch").value_or("");
  const std::string& match = options.resource_version_match;
  if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
    return ApiError(422, "Invalid",
                    absl::StrCat("resourceVersionMatch: Unsupported value: \"", match,
                                 "\": supported values: \"Exact\", \"NotOlderThan\""));
  }
  return options;
}

absl::StatusOr<DeleteOptions> ReadDeleteOptions(const http::Request& request,
                                                const TypeTable& types) {
  DeleteOptions options;
  SKERRY_RETURN_IF_ERROR(ReadDryRun(request.Query("dryRun").value_or(""), options.dry_run));
  if (request.Query("gracePeriodSeconds").has_value()) {
    SKERRY_ASSIGN_OR_RETURN(options.grace_period_seconds,
                            ReadNumber(request, "gracePeriodSeconds", 0, INT32_MAX));
  }
  if (request.body.empty()) return options;
  const auto type = types.find("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions");
  SKERRY_ASSIGN_OR_RETURN(const Json body,
                          ReadBody(request, type == types.end() ? nullptr : type->second.get()));
  if (FindPath(body, {"gracePeriodSeconds"}) != nullptr && !body["gracePeriodSeconds"].is_null()) {
    options.grace_period_seconds = IntAt(body, {"gracePeriodSeconds"});
    if (*options.grace_period_seconds < 0)
      return BadRequestError("gracePeriodSeconds must not be negative");
  }
  options.uid = StringAt(body, {"preconditions", "uid"});
  options.resource_version = StringAt(body, {"preconditions", "resourceVersion"});
  for (const Json& value : ArrayAt(body, {"dryRun"})) {
    SKERRY_RETURN_IF_ERROR(
        ReadDryRun(value.is_string() ? value.get<std::string>() : "?", options.dry_run));
  }
  return options;
}

absl::StatusOr<WatchOptions> ReadWatchOptions(const http::Request& request,
                                              const Resource& resource) {
  SKERRY_ASSIGN_OR_RETURN(ListOptions list, ReadListOptions(request, resource));
  WatchOptions options;
  options.labels = std::move(list.labels);
  options.fields = std::move(list.fields);
  if (!list.resource_version.empty() &&
      (!absl::SimpleAtoi(list.resource_version, &options.after) || options.after < 0)) {
    return BadRequestError(
        absl::StrCat("invalid resource version \"", list.resource_version, "\""));
  }
  options.bookmarks = IsTrue(request.Query("allowWatchBookmarks").value_or(""));
  const std::optional<std::string> initial = request.Query("sendInitialEvents");
  if (initial.has_value() && !initial->empty()) {
    if (list.resource_version_match != "NotOlderThan") {
      return ApiError(422, "Invalid",
                      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting "
                      "resourceVersionMatch to NotOlderThan");
    }
    options.initial_events = IsTrue(*initial);
    options.skip_initial = !options.initial_events;
  } else if (!list.resource_version_match.empty()) {
    return ApiError(422, "Invalid",
                    "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch "
                    "unless sendInitialEvents is provided");
  }
  SKERRY_ASSIGN_OR_RETURN(const int64_t seconds,
                          ReadNumber(request, "timeoutSeconds", 0, kWatchSecondsMax));
  if (seconds > 0) options.timeout = absl::Seconds(seconds);
  return options;
}

absl::StatusOr<Json> ReadBody(const http::Request& request, const Schema* schema) {
  const std::string type = BodyType(request);
  if (type == kProtobufType && schema != nullptr && HasProtobufForm(*schema)) {
    absl::StatusOr<Json> body = DecodeProtobufBody(*schema, request.body);
    if (body.ok()) return body;
    if (absl::IsInvalidArgument(body.status())) return BadRequestError(body.status().message());
  }
  if (!type.empty() && type != kJsonType) return UnsupportedMediaTypeError(type, {kJsonType});
  absl::StatusOr<Json> body = ParseJson(request.body);
  if (!body.ok())
    return BadRequestError(absl::StrCat("the body of the request is not readable: ",
                                        std::string(body.status().message())));
  return body;
}

absl::StatusOr<PatchType> ReadPatchType(const http::Request& request, const Resource& resource) {
  const std::string type = BodyType(request);
  if (type == "application/json-patch+json") return PatchType::kJson;
  if (type == "application/merge-patch+json") return PatchType::kMerge;
  std::vector<std::string> supported = {"application/json-patch+json",
                                        "application/merge-patch+json"};
  if (!resource.custom) {
    if (type == "application/strategic-merge-patch+json") return PatchType::kStrategicMerge;
    supported.push_back("application/strategic-merge-patch+json");
  }
  return UnsupportedMediaTypeError(type, supported);
}

}  // namespace skerry::kubeapi
