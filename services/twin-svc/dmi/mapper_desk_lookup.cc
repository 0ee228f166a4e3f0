// Whose mapper a device has.
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/device/method_call.h"
#include "services/twin-svc/dmi/desk_errors.h"
#include "services/twin-svc/dmi/mapper_desk.h"

namespace skerry::twin {
namespace {

constexpr size_t kCallsWaitingMax = 64;  // Each at most 64 KiB (device::CheckCall).

}  // namespace

MapperLink* MapperDesk::LinkOf(const DeviceCatalog::Entry& entry) {
  const auto active = active_.find(entry.protocol);
  return active == active_.end() ? nullptr : links_.at(active->second).get();
}

void MapperDesk::DoCall(v1::MethodCall call, absl::Duration timeout, Done done) {
  const auto refuse = [&](const absl::Status& status) {
    metrics_.method_calls_failed.Increment();
    done(status);
  };
  const absl::StatusOr<DeviceName> device = device::CheckCall(call);
  if (!device.ok()) return refuse(device.status());
  if (!synced_) {
    if (draining_) return refuse(Stopping());
    if (calls_waiting_.size() >= kCallsWaitingMax) return refuse(MappersBusy());
    return Wait(calls_waiting_, timeout,
                [this, call = std::move(call), end = clock_.Monotonic() + timeout,
                 done = std::move(done)](bool in_time) mutable {
                  if (in_time)
                    return DoCall(std::move(call), end - clock_.Monotonic(), std::move(done));
                  metrics_.method_calls_failed.Increment();
                  done(DevicesNotKnown());
                });
  }
  const std::optional<DeviceCatalog::Entry> entry = catalog_.Find(*device);
  if (!entry.has_value()) {
    return refuse(Error(absl::StatusCode::kNotFound,
                        absl::StrCat("no device ", device->value(), " is bound to this node"))
                      .Reason("DEVICE_UNKNOWN")
                      .Meta("device", device->value()));
  }
  MapperLink* const link = LinkOf(*entry);
  if (link == nullptr) {
    return refuse(
        Error(absl::StatusCode::kUnavailable,
              absl::StrCat("no mapper of the protocol '", entry->protocol, "' has registered"))
            .Reason("MAPPER_AWAY")
            .Meta("protocol", entry->protocol));
  }
  link->CallMethod(std::move(call), timeout, std::move(done));
}

std::string MapperDesk::WriterOf(const DeviceName& device) const {
  const std::optional<DeviceCatalog::Entry> entry = catalog_.Find(device);
  if (!entry.has_value()) return "mapper";
  absl::MutexLock lock(&mutex_);
  const auto mapper = mapper_of_.find(entry->protocol);
  return mapper == mapper_of_.end() ? "mapper" : absl::StrCat("mapper:", mapper->second);
}

std::string MapperDesk::ReportedBy(const DeviceName& device) {
  const std::optional<DeviceCatalog::Entry> entry = catalog_.Find(device);
  if (!entry.has_value()) return "mapper";
  absl::MutexLock lock(&mutex_);
  const auto mapper = mapper_of_.find(entry->protocol);
  if (mapper == mapper_of_.end()) return "mapper";
  reported_.insert(entry->protocol);
  return absl::StrCat("mapper:", mapper->second);
}

}  // namespace skerry::twin
