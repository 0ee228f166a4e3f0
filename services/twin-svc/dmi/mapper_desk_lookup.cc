// Whose mapper a device has.
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/device/method_call.h"
#include "services/twin-svc/dmi/mapper_desk.h"

namespace skerry::twin {

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
