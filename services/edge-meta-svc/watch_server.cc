#include "services/edge-meta-svc/watch_server.h"

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_join.h"
#include "services/edge-meta-svc/object_proto.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/model/names.h"
#include "services/lib/watch/resume_token.h"

namespace skerry::edgemeta {
namespace {

constexpr int kTypesMax = 64;
constexpr size_t kPageBytes = 256u << 10;  // What is handed to the transport at a time.

absl::StatusOr<std::set<std::string>> ParseTypes(const meta::v1::WatchObjectsRequest& request) {
  if (request.types().empty() || request.types_size() > kTypesMax) {
    return InvalidField("types", absl::StrJoin(request.types(), ","), "give 1 to 64 types");
  }
  std::set<std::string> types;
  for (const std::string& type : request.types()) {
    SKERRY_RETURN_IF_ERROR(ResourceType::Parse(type).status());
    types.insert(type);
  }
  return types;
}

}  // namespace

struct WatchServer::Watcher {
  std::set<std::string> types;
  std::string scope;
  std::string resume_token;  // As asked for.
  std::shared_ptr<ResponseStream> stream;
  std::unique_ptr<watch::WatchSession> session;  // On the executor.
  absl::Duration last_sent;
};

WatchServer::WatchServer(const Options& options, MetaStore& store, exec::SerialExecutor& executor,
                         Clock& clock, MetaMetrics& metrics)
    : options_(options), store_(store), executor_(executor), clock_(clock), metrics_(metrics) {
  executor_.PostAfter(options_.bookmark_interval / 2, [this] { SendBookmarks(); });
}

WatchServer::~WatchServer() = default;

rpc::WriterEvents WatchServer::Open(const meta::v1::WatchObjectsRequest& request,
                                    std::shared_ptr<ResponseStream> stream) {
  absl::StatusOr<std::set<std::string>> types = ParseTypes(request);
  if (!types.ok()) {
    stream->Close(types.status());
    return {};
  }
  auto watcher = std::make_shared<Watcher>();
  watcher->types = *std::move(types);
  watcher->scope = absl::StrJoin(watcher->types, ",");
  watcher->resume_token = request.resume_token();
  watcher->stream = std::move(stream);
  uint64_t id = 0;
  {
    absl::MutexLock lock(&id_mutex_);
    id = next_id_++;
  }
  bool posted = executor_.Post([this, id, watcher] { Begin(id, watcher); });
  if (!posted) {
    watcher->stream->Close(
        Error(absl::StatusCode::kUnavailable, "the service is stopping").Reason("DRAINING"));
    return {};
  }
  return {.on_closed = [this, id](absl::Status) { executor_.Post([this, id] { End(id); }); },
          .on_drained = [this, id] { executor_.Post([this, id] { Pump(id); }); }};
}

void WatchServer::Begin(uint64_t id, std::shared_ptr<Watcher> watcher) {
  if (!closed_.ok()) return watcher->stream->Close(closed_);
  std::optional<int64_t> resume;
  if (!watcher->resume_token.empty()) {
    absl::StatusOr<int64_t> revision =
        watch::DecodeResumeToken(watcher->resume_token, store_.id(), watcher->scope);
    if (!revision.ok()) return watcher->stream->Close(revision.status());
    resume = *revision;
  }
  watcher->session = std::make_unique<watch::WatchSession>(watcher->types, resume, store_,
                                                           options_.queue_bytes_max);
  hub_.Add(watcher->session.get(), [this, id] { Pump(id); });
  watchers_.emplace(id, std::move(watcher));
  metrics_.watchers.Set(static_cast<double>(watchers_.size()));
  Pump(id);
}

void WatchServer::Pump(uint64_t id) {
  auto it = watchers_.find(id);
  if (it == watchers_.end()) return;
  std::shared_ptr<Watcher> watcher = it->second;
  // A session that overflowed is ended even while its reader takes nothing.
  while (watcher->session->overflowed() || watcher->stream->pending_bytes() < kPageBytes) {
    absl::StatusOr<std::vector<watch::Event>> events = watcher->session->Next(kPageBytes);
    if (!events.ok()) {
      if (GetErrorInfo(events.status()).reason == "SLOW_WATCHER")
        metrics_.watchers_slow.Increment();
      watcher->stream->Close(events.status());
      return End(id);
    }
    if (events->empty()) return;
    watcher->last_sent = clock_.Monotonic();
    for (const watch::Event& event : *events) {
      meta::v1::WatchObjectsResponse response;
      if (event.kind == watch::Event::Kind::kSynced) {
        response.mutable_synced();
      } else {
        FillObject(*event.change, event.kind == watch::Event::Kind::kDeleted
                                      ? *response.mutable_deleted()
                                      : *response.mutable_upserted());
      }
      if (event.resume_revision.has_value()) {
        response.set_resume_token(
            watch::EncodeResumeToken(store_.id(), watcher->scope, *event.resume_revision));
      }
      if (!watcher->stream->Send(std::move(response))) return End(id);
    }
  }
  // More waits for the reader: on_drained pumps again.
}

void WatchServer::End(uint64_t id) {
  auto it = watchers_.find(id);
  if (it == watchers_.end()) return;
  hub_.Remove(it->second->session.get());
  watchers_.erase(it);
  metrics_.watchers.Set(static_cast<double>(watchers_.size()));
}

void WatchServer::Publish(std::vector<watch::Change> changes) { hub_.Publish(std::move(changes)); }

void WatchServer::SendBookmarks() {
  const absl::Duration now = clock_.Monotonic();
  for (auto& [id, watcher] : watchers_) {
    if (now - watcher->last_sent < options_.bookmark_interval) continue;
    std::optional<int64_t> revision = watcher->session->BookmarkRevision();
    if (!revision.has_value()) continue;
    meta::v1::WatchObjectsResponse response;
    response.mutable_bookmark();
    response.set_resume_token(watch::EncodeResumeToken(store_.id(), watcher->scope, *revision));
    watcher->stream->Send(std::move(response));
    watcher->last_sent = now;
  }
  executor_.PostAfter(options_.bookmark_interval / 2, [this] { SendBookmarks(); });
}

void WatchServer::CloseAll(absl::Status status) {
  executor_.Run([this, &status] {
    closed_ = status;
    for (auto& [id, watcher] : watchers_) {
      watcher->stream->Close(status);
      hub_.Remove(watcher->session.get());
    }
    watchers_.clear();
    metrics_.watchers.Set(0);
  });
}

}  // namespace skerry::edgemeta
