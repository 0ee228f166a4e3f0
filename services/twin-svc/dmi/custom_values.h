// Free-form settings of devices as mappers read them: configData, protocolConfigData,
// anomalyDetection.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_CUSTOM_VALUES_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_CUSTOM_VALUES_H_

#include <google/protobuf/any.pb.h>
#include <google/protobuf/map.h>

#include <string>

#include "services/lib/json/json_reader.h"

namespace skerry::twin {

using CustomValues = google::protobuf::Map<std::string, google::protobuf::Any>;

// Adds the members of `json` whose keys `out` does not have yet: read the device first, then its
// model, and what the device says wins. Members that are there already are not looked at.
//
// A string becomes StringValue, true and false BoolValue. Mappers decode no DoubleValue, and
// KubeEdge gives them every number as FloatValue, which loses digits from 16777217 on. Here a
// number becomes
//   - FloatValue, if a float32 holds it exactly;
//   - else Int64Value, if it is an integer that an int64 holds, however it is written (2.5e9 too);
//   - else FloatValue rounded to nearest: 0.1, and integers beyond int64.
// An error, which refuses the device as a whole, are a number beyond float32's range (it would
// arrive as infinity or not at all), null, objects and lists, for which mappers have no form.
void AddMissingValues(const JsonReader& json, CustomValues& out);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_CUSTOM_VALUES_H_
