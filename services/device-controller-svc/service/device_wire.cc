#include "services/device-controller-svc/service/device_wire.h"

#include "absl/strings/str_cat.h"
#include "services/device-controller-svc/service/resource_names.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/proto_time.h"

namespace skerry::devicecontroller {

v1::Device ToProto(const DeviceRecord& record) {
  v1::Device device;
  device.set_name(DeviceResource(record.object.device));
  device.set_uid(record.object.uid);
  device.set_generation_id(absl::StrCat(record.incarnation));
  device.set_node(record.object.node);
  device.set_model(record.object.model);
  device.set_protocol(record.object.protocol);
  device.set_enabled(record.enabled);
  device.set_disable_reason(record.disable_reason);
  device.set_etag(record.etag());
  *device.mutable_create_time() = rpc::ToProto(record.create_time);
  *device.mutable_update_time() = rpc::ToProto(record.update_time);
  return device;
}

v1::TwinValue ToProto(const TwinEntry& entry) {
  v1::TwinValue value;
  if (entry.value.has_value()) value.set_value(*entry.value);
  value.mutable_metadata()->insert(entry.metadata.begin(), entry.metadata.end());
  value.set_version(absl::StrCat(entry.order.major, ".", entry.order.minor));
  value.set_writer(entry.writer);
  *value.mutable_write_time() = rpc::ToProto(entry.time);
  *value.mutable_arrive_time() = rpc::ToProto(entry.arrive_time);
  return value;
}

absl::Status DeviceUnknown(const DeviceName& device) {
  return Error(absl::StatusCode::kNotFound, absl::StrCat("no device ", device.value()))
      .Reason("DEVICE_UNKNOWN")
      .Meta("device", device.value());
}

std::string WriterOf(const rpc::CallScope& scope) {
  return scope.peer.common_name.empty() ? "cloud" : scope.peer.common_name;
}

}  // namespace skerry::devicecontroller
