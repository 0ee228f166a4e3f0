// Manifests as users of KubeEdge write them, as JSON.
#ifndef SKERRY_SERVICES_LIB_DEVICE_SAMPLE_MANIFESTS_H_
#define SKERRY_SERVICES_LIB_DEVICE_SAMPLE_MANIFESTS_H_

#include <nlohmann/json.hpp>

namespace skerry::device {

// plant/room-3 with all that is read, from the API server: bound, a desired value, methods.
nlohmann::json ThermostatDevice();
nlohmann::json ThermostatModel();

// default/counter as in a file: no uid, an empty configData, cycles in nanoseconds as the old
// guides say, the status of an older version, a model without accessMode.
nlohmann::json CounterDevice();
nlohmann::json CounterModel();

// default/gate-camera as a Go client writes it: empty structs for what is not set, bound nowhere.
nlohmann::json CameraDevice();
nlohmann::json CameraModel();

}  // namespace skerry::device

#endif  // SKERRY_SERVICES_LIB_DEVICE_SAMPLE_MANIFESTS_H_
