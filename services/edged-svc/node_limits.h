// What the settings say of the Node's conditions and capacity.
#ifndef SKERRY_SERVICES_EDGED_SVC_NODE_LIMITS_H_
#define SKERRY_SERVICES_EDGED_SVC_NODE_LIMITS_H_

#include "services/edged-svc/config.h"
#include "services/edged-svc/core/node_status.h"

namespace skerry::edged {

// pods_max and disk_pressure.*; the rest as the kubelet has it.
NodeLimits NodeLimitsOf(const EdgedConfig& config);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_NODE_LIMITS_H_
