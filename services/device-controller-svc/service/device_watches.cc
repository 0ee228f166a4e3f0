#include "services/device-controller-svc/service/device_watches.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/service/device_wire.h"
#include "services/device-controller-svc/service/pages.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::devicecontroller {
namespace {

constexpr size_t kPendingBytesMax = 256u << 10;  // Handed to the transport at a time.

}  // namespace

absl::Status NotLeader() {
  return Error(absl::StatusCode::kUnavailable,
               "this replica does not follow the changes of devices: ask another one")
      .Reason("NOT_LEADER");
}

DeviceWatches::DeviceWatches(RegistryStore& registry, ServiceMetrics& metrics, Clock& clock,
                             Bounds bounds)
    : registry_(registry),
      metrics_(metrics),
      bounds_(bounds),
      state_(NotLeader()),
      executor_("device-watches", clock) {}

rpc::WriterEvents DeviceWatches::Open(const v1::WatchDevicesRequest& request,
                                      std::shared_ptr<ResponseStream> stream) {
  absl::StatusOr<std::string> device_namespace = ParseParent("parent", request.parent());
  if (!device_namespace.ok()) {
    stream->Close(device_namespace.status());
    return {};
  }
  absl::MutexLock lock(&mutex_);
  if (!state_.ok()) {
    stream->Close(state_);
    return {};
  }
  if (watchers_.size() >= bounds_.watchers_max) {
    metrics_.watchers_refused.Increment();
    stream->Close(Error(absl::StatusCode::kResourceExhausted,
                        absl::StrCat("there are ", watchers_.size(),
                                     " watches already: end some, or ask another replica"))
                      .Reason("WATCHERS_FULL"));
    return {};
  }
  const uint64_t id = ++last_id_;
  auto watcher = std::make_shared<Watcher>();
  watcher->device_namespace = *std::move(device_namespace);
  watcher->stream = std::move(stream);
  watchers_[id] = watcher;
  metrics_.watchers.Set(static_cast<double>(watchers_.size()));
  Post(id, *watcher);
  const auto wake = [this, id] {
    absl::MutexLock waking(&mutex_);
    const auto it = watchers_.find(id);
    if (it != watchers_.end()) Post(id, *it->second);
  };
  return {.on_closed =
              [this, id](absl::Status) {
                absl::MutexLock closing(&mutex_);
                watchers_.erase(id);
                metrics_.watchers.Set(static_cast<double>(watchers_.size()));
              },
          .on_drained = wake};
}

void DeviceWatches::Publish(const DeviceName& device) {
  absl::MutexLock lock(&mutex_);
  std::vector<uint64_t> slow;
  const std::string device_namespace = device.device_namespace();
  for (auto& [id, watcher] : watchers_) {
    if (!watcher->device_namespace.empty() && watcher->device_namespace != device_namespace)
      continue;
    watcher->due.insert(device);
    if (watcher->due.size() > bounds_.due_max) slow.push_back(id);
    Post(id, *watcher);
  }
  for (const uint64_t id : slow) {
    metrics_.watchers_slow.Increment();
    watchers_[id]->stream->Close(
        Error(absl::StatusCode::kResourceExhausted,
              absl::StrCat("more than ", bounds_.due_max,
                           " changed devices wait for this watch: read faster, or watch one "
                           "namespace"))
            .Reason("SLOW_WATCHER"));
    watchers_.erase(id);
  }
}

void DeviceWatches::SetState(absl::Status state) {
  absl::MutexLock lock(&mutex_);
  state_ = std::move(state);
  if (state_.ok()) return;
  for (auto& [id, watcher] : watchers_) watcher->stream->Close(state_);
  watchers_.clear();
}

void DeviceWatches::Post(uint64_t id, Watcher& watcher) {
  if (!std::exchange(watcher.posted, true)) executor_.Post([this, id] { Turn(id); });
}

void DeviceWatches::Turn(uint64_t id) {
  std::shared_ptr<Watcher> watcher;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = watchers_.find(id);
    if (it == watchers_.end()) return;
    watcher = it->second;
    watcher->posted = false;
  }
  // Drained, it wakes this again.
  if (watcher->stream->pending_bytes() >= kPendingBytesMax) return;
  const absl::Status status = watcher->all_read ? SendDue(*watcher) : ReadOn(*watcher);
  if (!status.ok()) return End(id, status);
  absl::MutexLock lock(&mutex_);
  if (!watcher->all_read || !watcher->synced || !watcher->due.empty()) Post(id, *watcher);
}

absl::Status DeviceWatches::ReadOn(Watcher& watcher) {
  SKERRY_ASSIGN_OR_RETURN(
      const std::vector<DeviceRecord> records,
      registry_.List({.device_namespace = watcher.device_namespace}, watcher.last_read, kChunk));
  for (const DeviceRecord& record : records) {
    v1::WatchDevicesResponse response;
    *response.mutable_upserted() = ToProto(record);
    watcher.stream->Send(std::move(response));
    watcher.last_read = record.object.device;
  }
  watcher.all_read = records.size() < kChunk;
  return absl::OkStatus();
}

absl::Status DeviceWatches::SendDue(Watcher& watcher) {
  std::vector<DeviceName> devices;
  {
    absl::MutexLock lock(&mutex_);
    while (!watcher.due.empty() && devices.size() < kChunk) {
      devices.push_back(std::move(watcher.due.extract(watcher.due.begin()).value()));
    }
  }
  for (const DeviceName& device : devices) {
    SKERRY_ASSIGN_OR_RETURN(const std::optional<DeviceRecord> record, registry_.Get(device));
    v1::WatchDevicesResponse response;
    if (record.has_value()) {
      *response.mutable_upserted() = ToProto(*record);
    } else {
      response.mutable_deleted()->set_name(DeviceResource(device));
    }
    watcher.stream->Send(std::move(response));
  }
  if (devices.size() == kChunk || std::exchange(watcher.synced, true)) return absl::OkStatus();
  v1::WatchDevicesResponse response;
  response.mutable_synced();
  watcher.stream->Send(std::move(response));
  return absl::OkStatus();
}

void DeviceWatches::End(uint64_t id, const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  const auto it = watchers_.find(id);
  if (it == watchers_.end()) return;
  it->second->stream->Close(why);
  watchers_.erase(it);
}

}  // namespace skerry::devicecontroller
