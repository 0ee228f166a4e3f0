#include "services/lib/kubeapi/watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

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
// A page of the first state is held in memory while its reader is slow.
constexpr size_t kFirstPage = 100;
constexpr size_t kPageMax = 500;
constexpr size_t kPageBytes = 1 << 20;

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
  if (absl::IsOutOfRange(status)) {
    return ExpiredError(absl::StrCat("too old resource version: ", asked));
  }
  if (GetErrorInfo(status).reason == "REVISION_IN_FUTURE") {
    return ApiError(504, "Timeout", absl::StrCat("Too large resource version: ", asked));
  }
  return status;
}

}  // namespace

// One watch from its first page to the moment when the store takes over. One thread at a time; kept
// by the work that goes on with it, and by its stream while that has no room.
class WatchServer::Feed final : public std::enable_shared_from_this<Feed> {
 public:
  Feed(WatchServer* server, WatchOptions options)
      : server_(server),
        options_(std::move(options)),
        after_(options_.after),
        ends_at_(server->clock_.Monotonic() + options_.timeout) {}

  absl::Status Start(http::Responder& responder, std::function<void()> on_closed) {
    if (options_.initial_events || (options_.after == 0 && !options_.skip_initial)) {
      SKERRY_RETURN_IF_ERROR(NextPage());
      after_ = page_.revision;
    }
    stream_ = responder.Stream(
        200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache, private"}});
    events_ = std::make_shared<WatchEvents>(server_->clock_, options_, stream_);
    CancelOnClose(server_->store_, ending_, *stream_, std::move(on_closed));
    Run();
    return absl::OkStatus();
  }

 private:
  void Run() {
    for (;;) {
      for (; next_ < page_.items.size(); ++next_) {
        if (!stream_->HasRoom()) return RunLater();
        if (!events_->SendInitial(page_.items[next_])) return;
      }
      if (page_.continue_token.empty()) break;
      if (TimeLeft() <= absl::ZeroDuration()) return stream_->End();
      const absl::Status status = NextPage();
      if (!status.ok()) return events_->Fail(status);
    }
    const bool mark_end = options_.initial_events && options_.bookmarks;
    if (!mark_end || events_->SendInitialEnd(after_)) FollowStore();
  }

  void RunLater() {
    stream_->WhenRoom(
        [self = shared_from_this()] { self->server_->pages_.Post([self] { self->Run(); }); });
  }

  absl::Status NextPage() {
    ListOptions selection;
    selection.labels = options_.labels;
    selection.fields = options_.fields;
    selection.limit = kFirstPage;
    if (page_.bytes > 0) {
      selection.limit =
          std::clamp<size_t>(kPageBytes * page_.items.size() / page_.bytes, 1, kPageMax);
    }
    selection.continue_token = page_.continue_token;
    SKERRY_ASSIGN_OR_RETURN(page_,
                            server_->objects_.List(*options_.resource, options_.ns, selection));
    next_ = 0;
    return absl::OkStatus();
  }

  void FollowStore() {
    WatchQuery query;
    query.resource = options_.resource->StorageName();
    query.object_namespace = options_.resource->namespaced ? options_.ns : "";
    query.after = after_;
    query.lifetime = TimeLeft();
    if (options_.bookmarks) query.progress_interval = kBookmarkInterval;
    const absl::StatusOr<WatchId> id = server_->store_.Watch(query, events_);
    if (!id.ok()) return events_->Fail(MapWatchError(id.status(), after_));
    bool closed = false;
    {
      absl::MutexLock lock(&ending_->mutex);
      ending_->id = *id;
      ending_->started = true;
      closed = ending_->closed;
    }
    if (closed) server_->store_.CancelWatch(*id);
  }

  absl::Duration TimeLeft() const { return ends_at_ - server_->clock_.Monotonic(); }

  WatchServer* const server_;
  const WatchOptions options_;
  StoreRevision after_;  // The changes that follow the first state.
  const absl::Duration ends_at_;
  const std::shared_ptr<Ending> ending_ = std::make_shared<Ending>();
  std::shared_ptr<http::ResponseStream> stream_;
  std::shared_ptr<WatchEvents> events_;
  ListResult page_;  // Of the first state; empty where it is not asked for.
  size_t next_ = 0;  // What of it comes next.
};

WatchServer::WatchServer(ObjectService& objects, ObjectStore& store, Clock& clock)
    : objects_(objects), store_(store), clock_(clock), pages_("watch-pages", clock) {}

absl::Status WatchServer::Serve(WatchOptions options,
                                const std::shared_ptr<http::Responder>& responder,
                                std::function<void()> on_closed) {
  return std::make_shared<Feed>(this, std::move(options))->Start(*responder, std::move(on_closed));
}

}  // namespace skerry::kubeapi
