// Devices and models as Kubernetes has them (devices.kubeedge.io/v1beta1), turned into what mappers
// are told.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_DMI_DEVICE_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_DMI_DEVICE_H_

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"

namespace skerry::twin {

// These compute on values only and may be called from any thread. The objects come from a
// parser, which has checked that their text is UTF-8, and the caller has bounded their size.
//
// Whatever the shape of the objects is, nothing throws: a field of the wrong type is
// INVALID_ARGUMENT / DEVICE_INVALID, with the field's path ("spec.properties[2].desired.value"),
// what it is and what it should be. One such field refuses the object as a whole; a device that
// reaches its mapper in part would do something else than its owner wrote. Values are not shown,
// they may be credentials. Fields that the contract does not have are passed over.

// `device` with the defaults of `model`, which is the one that spec.deviceModelRef names:
// protocolConfigData for spec.protocol.configData, and the visitors of a property for the visitors
// of the device's property of that name. They go together key by key, and the device's keys win.
// spec.stateReport becomes the status. Messages that mappers read without looking are always there:
// spec, protocol, status, and desired, visitors and their configData of each property.
// custom_values.h has the rules for numbers in configData.
//
// Errors in `model` begin with "device model: ", and only parts of it that the device uses count.
absl::StatusOr<v1beta1::Device> ToDmi(const nlohmann::json& device, const nlohmann::json& model);

// The two halves of it: what the device itself says, and what it has from its model. After an error
// `device` may have a part of that.
absl::StatusOr<v1beta1::Device> OwnToDmi(const nlohmann::json& device);
absl::Status AddDefaults(const nlohmann::json& model, v1beta1::Device& device);

// The model itself; its defaults for devices are not part of the contract.
absl::StatusOr<v1beta1::DeviceModel> ModelToDmi(const nlohmann::json& model);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_DMI_DEVICE_H_
