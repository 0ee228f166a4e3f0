// The order in which a runtime tells of a pod's parts.
#ifndef SKERRY_SERVICES_EDGED_SVC_CORE_POD_ORDER_H_
#define SKERRY_SERVICES_EDGED_SVC_CORE_POD_ORDER_H_

#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// By attempt before time: an edge box's clock may have been set back between two of them.
void SortNewestFirst(PodView& pod);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_CORE_POD_ORDER_H_
