// Where a mapper itself sends the values of a property.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_PUSH_METHOD_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_PUSH_METHOD_H_

#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/lib/json/json_reader.h"

namespace skerry::twin {

// `json` is a property's pushMethod. A message is set only where its object is there: mappers
// choose the target by what is present.
v1beta1::PushMethod PushMethodToDmi(const JsonReader& json);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_PUSH_METHOD_H_
