#include "services/lib/kubeapi/watch_events.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/object_service.h"

namespace skerry::kubeapi {

WatchEvents::WatchEvents(Clock& clock, WatchOptions options,
                         std::shared_ptr<http::ResponseStream> stream)
    : clock_(clock), options_(std::move(options)), stream_(std::move(stream)) {}

bool WatchEvents::SendInitialEnd(StoreRevision revision) {
  return SendBookmark(revision, /*initial_end=*/true);
}

void WatchEvents::Fail(const absl::Status& status) {
  Write("ERROR", StatusObject(status));
  stream_->End();
}

bool WatchEvents::OnChange(const Change& change) {
  const Resource& resource = *options_.resource;
  absl::StatusOr<Json> now = ObjectService::Decorate(resource, change.object, change.revision);
  if (!now.ok()) return true;  // One broken object must not end the watch.
  const bool matches = Matches(*now);
  if (change.kind == ChangeKind::kAdded) return !matches || Send("ADDED", *now);
  if (change.kind == ChangeKind::kDeleted) return !matches || Send("DELETED", *now);
  if (options_.labels.empty() && options_.fields.empty()) return Send("MODIFIED", *now);
  absl::StatusOr<Json> before = ObjectService::Decorate(resource, change.previous, change.revision);
  const bool matched = before.ok() && Matches(*before);
  if (matches) return Send(matched ? "MODIFIED" : "ADDED", *now);
  return !matched || Send("DELETED", *before);
}

bool WatchEvents::OnProgress(StoreRevision revision) {
  return !options_.bookmarks || SendBookmark(revision, /*initial_end=*/false);
}

void WatchEvents::OnClosed(const absl::Status& status) {
  if (absl::IsOutOfRange(status)) {
    Fail(ExpiredError("too old resource version"));
  } else {
    stream_->End();
  }
}

bool WatchEvents::Matches(const Json& object) const {
  return options_.labels.Matches(ObjectAt(object, {"metadata", "labels"})) &&
         options_.fields.Matches(object);
}

bool WatchEvents::SendBookmark(StoreRevision revision, bool initial_end) {
  Json object = {
      {"apiVersion", options_.resource->ApiVersion()},
      {"kind", options_.resource->kind},
      {"metadata", {{"resourceVersion", absl::StrCat(revision)}, {"creationTimestamp", nullptr}}}};
  if (initial_end) object["metadata"]["annotations"]["k8s.io/initial-events-end"] = "true";
  if (options_.form == ObjectForm::kTable) {
    Json table = MakeTable(*options_.resource, {}, options_.include, clock_.Now(), false);
    table["metadata"]["resourceVersion"] = absl::StrCat(revision);
    object = std::move(table);
  } else if (options_.form == ObjectForm::kPartialMetadata) {
    object = MakePartial(object);
  }
  return Write("BOOKMARK", object);
}

bool WatchEvents::Send(const char* type, const Json& object) {
  if (options_.form == ObjectForm::kObject) return Write(type, object);
  if (options_.form == ObjectForm::kPartialMetadata) return Write(type, MakePartial(object));
  Json table =
      MakeTable(*options_.resource, {object}, options_.include, clock_.Now(), !columns_sent_);
  table["metadata"]["resourceVersion"] = StringAt(object, {"metadata", "resourceVersion"});
  columns_sent_ = true;
  return Write(type, table);
}

bool WatchEvents::Write(const char* type, const Json& object) {
  return stream_->Write(
      absl::StrCat("{\"type\":\"", type, "\",\"object\":", DumpJson(object), "}\n"));
}

}  // namespace skerry::kubeapi
