// Reads of many objects: lists page by page.
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/object_service.h"

namespace skerry::kubeapi {
namespace {

// With selectors a page of the answer may need many of the store.
constexpr size_t kStorePage = 500;

std::string MakeToken(StoreRevision revision, const ListQuery::Position& position) {
  const Json token = {{"v", "meta.k8s.io/v1"},
                      {"rv", revision},
                      {"ns", position.object_namespace},
                      {"name", position.name}};
  std::string text;
  absl::WebSafeBase64Escape(DumpJson(token), &text);
  return text;
}

absl::Status ReadToken(const std::string& text, ListQuery& query) {
  std::string raw;
  if (!absl::WebSafeBase64Unescape(text, &raw))
    return BadRequestError("continue key is not valid: encoding error");
  const absl::StatusOr<Json> token = ParseJson(raw);
  if (!token.ok() || IntAt(*token, {"rv"}) <= 0 || StringAt(*token, {"v"}) != "meta.k8s.io/v1") {
    return BadRequestError("continue key is not valid: incorrect format");
  }
  query.revision = IntAt(*token, {"rv"});
  query.after = ListQuery::Position{StringAt(*token, {"ns"}), StringAt(*token, {"name"})};
  return absl::OkStatus();
}

absl::Status TooLarge(StoreRevision asked, StoreRevision current) {
  return ApiError(504, "Timeout",
                  absl::StrCat("Too large resource version: ", asked, ", current: ", current));
}

absl::Status MapListError(const absl::Status& status, StoreRevision asked, bool continued) {
  if (absl::IsOutOfRange(status)) {
    return ExpiredError(
        continued ? "The provided continue parameter is too old to display a consistent list "
                    "result. You can start a new list without the continue parameter."
                  : "The resourceVersion for the provided list is too old.");
  }
  if (GetErrorInfo(status).reason == "REVISION_IN_FUTURE") return TooLarge(asked, 0);
  return status;
}

}  // namespace

absl::StatusOr<ListResult> ObjectService::List(const Resource& resource, absl::string_view ns,
                                               const ListOptions& options) {
  ListQuery query;
  query.resource = resource.StorageName();
  query.object_namespace = resource.namespaced ? std::string(ns) : "";
  StoreRevision asked = 0;
  if (!options.resource_version.empty() &&
      (!absl::SimpleAtoi(options.resource_version, &asked) || asked < 0)) {
    return BadRequestError(
        absl::StrCat("invalid resource version \"", options.resource_version, "\""));
  }
  if (!options.continue_token.empty()) {
    if (asked != 0)
      return BadRequestError("specifying resource version is not allowed when using continue");
    SKERRY_RETURN_IF_ERROR(ReadToken(options.continue_token, query));
  } else if (asked > 0) {
    const bool exact = options.resource_version_match == "Exact" ||
                       (options.resource_version_match.empty() && options.limit > 0);
    if (exact) {
      query.revision = asked;
    } else {
      SKERRY_ASSIGN_OR_RETURN(const StoreRevision current, store_.CurrentRevision());
      if (asked > current) return TooLarge(asked, current);
    }
  }
  const bool selective = !options.labels.empty() || !options.fields.empty();
  const std::optional<std::string> one = options.fields.Exact("metadata.name");

  ListResult result;
  while (true) {
    query.limit = options.limit == 0 ? 0
                  : selective        ? kStorePage
                                     : options.limit - result.items.size();
    absl::StatusOr<ListPage> page = store_.List(query);
    if (!page.ok())
      return MapListError(page.status(), query.revision, !options.continue_token.empty());
    result.revision = page->revision;
    query.revision = page->revision;
    for (size_t i = 0; i < page->items.size(); ++i) {
      const StoredObject& stored = page->items[i];
      if (one.has_value() && stored.key.name != *one) continue;
      SKERRY_ASSIGN_OR_RETURN(Json object, Decorate(resource, stored.json, stored.revision));
      if (selective && !(options.labels.Matches(ObjectAt(object, {"metadata", "labels"})) &&
                         options.fields.Matches(object))) {
        continue;
      }
      result.items.push_back(std::move(object));
      result.bytes += stored.json.size();
      const bool last = i + 1 == page->items.size() && !page->more;
      if (options.limit > 0 && result.items.size() >= options.limit && !last) {
        result.continue_token =
            MakeToken(page->revision, {stored.key.object_namespace, stored.key.name});
        return result;
      }
    }
    if (!page->more || page->items.empty()) return result;
    const ObjectKey& end = page->items.back().key;
    query.after = ListQuery::Position{end.object_namespace, end.name};
  }
}

}  // namespace skerry::kubeapi
