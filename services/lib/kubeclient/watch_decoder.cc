#include "services/lib/kubeclient/watch_decoder.h"

#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeclient/api_errors.h"

namespace skerry::kubeclient {

absl::Status WatchDecoder::Feed(absl::string_view chunk) {
  while (true) {
    const size_t end = chunk.find('\n');
    const absl::string_view part = chunk.substr(0, end);
    if (partial_.size() + part.size() > line_bytes_max_) {
      return Error(absl::StatusCode::kResourceExhausted,
                   absl::StrCat("a watch event is larger than ", line_bytes_max_, " bytes"))
          .Reason("EVENT_TOO_LARGE");
    }
    if (end == absl::string_view::npos) {
      absl::StrAppend(&partial_, part);
      return absl::OkStatus();
    }
    if (partial_.empty()) {
      SKERRY_RETURN_IF_ERROR(Line(part));
    } else {
      absl::StrAppend(&partial_, part);
      const std::string line = std::move(partial_);
      partial_.clear();
      SKERRY_RETURN_IF_ERROR(Line(line));
    }
    chunk.remove_prefix(end + 1);
  }
}

absl::Status WatchDecoder::Line(absl::string_view line) {
  line = absl::StripAsciiWhitespace(line);
  if (line.empty()) return absl::OkStatus();
  absl::StatusOr<nlohmann::json> json = kubeapi::ParseJson(line);
  if (!json.ok()) return Annotate(json.status(), "malformed watch event");
  const std::string type = kubeapi::StringAt(*json, {"type"});
  const nlohmann::json* object = kubeapi::FindPath(*json, {"object"});
  if (object == nullptr) return absl::InternalError("watch event without an object");
  if (type == "ERROR") return StatusFromWatchError(kubeapi::DumpJson(*object));

  WatchEvent event;
  event.resource_version = kubeapi::StringAt(*object, {"metadata", "resourceVersion"});
  if (type == "BOOKMARK") {
    event.type = WatchEvent::Type::kBookmark;
  } else {
    if (type == "ADDED") {
      event.type = WatchEvent::Type::kAdded;
    } else if (type == "MODIFIED") {
      event.type = WatchEvent::Type::kModified;
    } else if (type == "DELETED") {
      event.type = WatchEvent::Type::kDeleted;
    } else {
      return absl::OkStatus();  // A type of a newer server.
    }
    SKERRY_ASSIGN_OR_RETURN(event.object, KubeObject::FromJson(std::move((*json)["object"])));
  }
  on_event_(std::move(event));
  return absl::OkStatus();
}

}  // namespace skerry::kubeclient
