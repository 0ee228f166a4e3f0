#include "services/twin-svc/twin_watches.h"

#include <limits>
#include <optional>
#include <utility>

#include "services/lib/base/error.h"
#include "services/twin-svc/wire/twin_wire.h"

namespace skerry::twin {
namespace {

constexpr size_t kPendingBytesMax = 256u << 10;  // Handed to the transport at a time.

}  // namespace

void TwinWatches::SetDesk(const TwinDesk& desk) {
  absl::MutexLock lock(&mutex_);
  desk_ = &desk;
}

rpc::WriterEvents TwinWatches::Open(const v1::WatchTwinsRequest& request,
                                    std::shared_ptr<ResponseStream> stream) {
  if (!request.namespace_().empty() && !IsDns1123Label(request.namespace_())) {
    stream->Close(InvalidField("namespace", request.namespace_().substr(0, 100),
                               "give a namespace's name, or nothing for all"));
    return {};
  }
  absl::MutexLock lock(&mutex_);
  if (!closed_.ok()) {
    stream->Close(closed_);
    return {};
  }
  const uint64_t id = ++last_id_;
  Watcher& watcher = watchers_[id];
  watcher.device_namespace = request.namespace_();
  watcher.stream = std::move(stream);
  metrics_.watchers.Set(static_cast<double>(watchers_.size()));
  // What is committed meanwhile is published to it, too: that waits for the lock.
  for (const auto& [device, twin] :
       desk_->List(watcher.device_namespace, std::nullopt, std::numeric_limits<size_t>::max())) {
    watcher.due.insert(device);
  }
  Pump(watcher);
  return {.on_closed =
              [this, id](absl::Status) {
                absl::MutexLock closing(&mutex_);
                watchers_.erase(id);
                metrics_.watchers.Set(static_cast<double>(watchers_.size()));
              },
          .on_drained = [this, id] { PumpOne(id); }};
}

void TwinWatches::Publish(const std::vector<TwinEvent>& events) {
  absl::MutexLock lock(&mutex_);
  for (auto& [id, watcher] : watchers_) {
    for (const TwinEvent& event : events) {
      if (watcher.device_namespace.empty() ||
          event.device.device_namespace() == watcher.device_namespace) {
        watcher.due.insert(event.device);
      }
    }
    Pump(watcher);
  }
}

void TwinWatches::CloseAll(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  closed_ = status;
  for (auto& [id, watcher] : watchers_) watcher.stream->Close(status);
  watchers_.clear();
}

void TwinWatches::PumpOne(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto it = watchers_.find(id);
  if (it != watchers_.end()) Pump(it->second);
}

void TwinWatches::Pump(Watcher& watcher) {
  while (!watcher.due.empty() && watcher.stream->pending_bytes() < kPendingBytesMax) {
    const DeviceName device = *watcher.due.begin();
    watcher.due.erase(watcher.due.begin());
    v1::WatchTwinsResponse response;
    const absl::StatusOr<TwinPtr> twin = desk_->Get(device);
    if (twin.ok()) {
      *response.mutable_upserted() = ToProto(device, **twin);
    } else {
      response.mutable_deleted()->set_name(TwinNameOf(device));
    }
    watcher.stream->Send(std::move(response));
  }
  if (!watcher.due.empty() || std::exchange(watcher.synced, true)) return;
  v1::WatchTwinsResponse response;
  response.mutable_synced();
  watcher.stream->Send(std::move(response));
}

}  // namespace skerry::twin
