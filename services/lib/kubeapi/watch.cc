#include "services/lib/kubeapi/watch.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {
namespace {

// Long enough to cost nothing, short enough that a client's resume point stays in the log.
constexpr absl::Duration kBookmarkInterval = absl::Seconds(30);
constexpr char kTooOld[] = "too old resource version";

// Turns the store's changes into events on one stream. The store's delivery thread and the
// request's thread call it, never both: the request's thread is done before the store starts.
class WatchStream final : public WatchSink {
 public:
  WatchStream(Clock& clock, WatchOptions options, std::shared_ptr<http::ResponseStream> stream)
      : clock_(clock), options_(std::move(options)), stream_(std::move(stream)) {}

  bool SendInitial(const std::vector<Json>& objects) {
    for (const Json& object : objects) {
      if (!Send("ADDED", object)) return false;
    }
    return true;
  }

  // The bookmark that ends the initial events.
  bool SendInitialEnd(StoreRevision revision) {
    return SendBookmark(revision, /*initial_end=*/true);
  }

  void Fail(const absl::Status& status) {
    Write("ERROR", StatusObject(status));
    stream_->End();
  }

  bool OnChange(const Change& change) override {
    const Resource& resource = *options_.resource;
    absl::StatusOr<Json> now = ObjectService::Decorate(resource, change.object, change.revision);
    if (!now.ok()) return true;  // One broken object must not end the watch.
    const bool matches = Matches(*now);
    if (change.kind == ChangeKind::kAdded) return !matches || Send("ADDED", *now);
    if (change.kind == ChangeKind::kDeleted) return !matches || Send("DELETED", *now);
    if (options_.labels.empty() && options_.fields.empty()) return Send("MODIFIED", *now);
    absl::StatusOr<Json> before =
        ObjectService::Decorate(resource, change.previous, change.revision);
    const bool matched = before.ok() && Matches(*before);
    if (matches) return Send(matched ? "MODIFIED" : "ADDED", *now);
    return !matched || Send("DELETED", *before);
  }

  bool OnProgress(StoreRevision revision) override {
    return !options_.bookmarks || SendBookmark(revision, /*initial_end=*/false);
  }

  void OnClosed(const absl::Status& status) override {
    if (absl::IsOutOfRange(status)) {
      Fail(ExpiredError(kTooOld));
    } else {
      stream_->End();
    }
  }

 private:
  bool Matches(const Json& object) const {
    return options_.labels.Matches(ObjectAt(object, {"metadata", "labels"})) &&
           options_.fields.Matches(object);
  }

  bool SendBookmark(StoreRevision revision, bool initial_end) {
    Json object = {{"apiVersion", options_.resource->ApiVersion()},
                   {"kind", options_.resource->kind},
                   {"metadata",
                    {{"resourceVersion", absl::StrCat(revision)}, {"creationTimestamp", nullptr}}}};
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

  bool Send(const char* type, const Json& object) {
    if (options_.form == ObjectForm::kObject) return Write(type, object);
    if (options_.form == ObjectForm::kPartialMetadata) return Write(type, MakePartial(object));
    Json table =
        MakeTable(*options_.resource, {object}, options_.include, clock_.Now(), !columns_sent_);
    table["metadata"]["resourceVersion"] = StringAt(object, {"metadata", "resourceVersion"});
    columns_sent_ = true;
    return Write(type, table);
  }

  bool Write(const char* type, const Json& object) {
    return stream_->Write(
        absl::StrCat("{\"type\":\"", type, "\",\"object\":", DumpJson(object), "}\n"));
  }

  Clock& clock_;
  const WatchOptions options_;
  const std::shared_ptr<http::ResponseStream> stream_;
  bool columns_sent_ = false;
};

// Ends the store's watch when the client is gone, whichever of the two is known first.
struct Ending {
  absl::Mutex mutex;
  bool closed ABSL_GUARDED_BY(mutex) = false;
  WatchId id ABSL_GUARDED_BY(mutex) = 0;
  bool started ABSL_GUARDED_BY(mutex) = false;
};

void CancelOnClose(ObjectStore& store, const std::shared_ptr<Ending>& ending,
                   http::ResponseStream& stream, std::function<void()> on_closed) {
  stream.OnClosed([&store, ending, on_closed = std::move(on_closed)] {
    bool cancel = false;
    WatchId id = 0;
    {
      absl::MutexLock lock(&ending->mutex);
      ending->closed = true;
      cancel = ending->started;
      id = ending->id;
    }
    if (cancel) store.CancelWatch(id);
    on_closed();
  });
}

absl::Status MapWatchError(const absl::Status& status, StoreRevision asked) {
  if (absl::IsOutOfRange(status)) return ExpiredError(absl::StrCat(kTooOld, ": ", asked));
  if (GetErrorInfo(status).reason == "REVISION_IN_FUTURE") {
    return ApiError(504, "Timeout", absl::StrCat("Too large resource version: ", asked));
  }
  return status;
}

}  // namespace

absl::Status ServeWatch(ObjectService& objects, ObjectStore& store, Clock& clock,
                        WatchOptions options, const std::shared_ptr<http::Responder>& responder,
                        std::function<void()> on_closed) {
  WatchQuery query;
  query.resource = options.resource->StorageName();
  query.object_namespace = options.resource->namespaced ? options.ns : "";
  query.after = options.after;
  query.lifetime = options.timeout;
  if (options.bookmarks) query.progress_interval = kBookmarkInterval;

  const bool initial = options.initial_events || (options.after == 0 && !options.skip_initial);
  ListResult list;
  if (initial) {
    ListOptions selection;
    selection.labels = options.labels;
    selection.fields = options.fields;
    SKERRY_ASSIGN_OR_RETURN(list, objects.List(*options.resource, options.ns, selection));
    query.after = list.revision;
  }
  const bool mark_end = options.initial_events && options.bookmarks;
  std::shared_ptr<http::ResponseStream> stream = responder->Stream(
      200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache, private"}});
  auto ending = std::make_shared<Ending>();
  auto sink = std::make_shared<WatchStream>(clock, std::move(options), stream);
  CancelOnClose(store, ending, *stream, std::move(on_closed));
  if (!sink->SendInitial(list.items)) return absl::OkStatus();
  if (mark_end && !sink->SendInitialEnd(list.revision)) return absl::OkStatus();
  const absl::StatusOr<WatchId> id = store.Watch(query, sink);
  if (!id.ok()) {
    sink->Fail(MapWatchError(id.status(), query.after));
    return absl::OkStatus();
  }
  bool closed = false;
  {
    absl::MutexLock lock(&ending->mutex);
    ending->id = *id;
    ending->started = true;
    closed = ending->closed;
  }
  if (closed) store.CancelWatch(*id);
  return absl::OkStatus();
}

}  // namespace skerry::kubeapi
