// A device and its model, as Kubernetes has them, with most of what they can hold.
#ifndef SKERRY_SERVICES_TWIN_SVC_TESTING_SAMPLE_DEVICE_H_
#define SKERRY_SERVICES_TWIN_SVC_TESTING_SAMPLE_DEVICE_H_

#include <nlohmann/json.hpp>

namespace skerry::twin {

// DeviceModel plant/boiler.
nlohmann::json SampleModel();

// Device plant/boiler-7 of that model. Its property "valve" has nothing but a name.
nlohmann::json SampleDevice();

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_TESTING_SAMPLE_DEVICE_H_
