// Columns and rows of the built-in kinds, as kubectl users know them.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_PRINTERS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_PRINTERS_H_

#include "services/lib/kubeapi/resource.h"

namespace skerry::kubeapi {

// Sets columns and cells of `resource` by its kind; other kinds get NAME and AGE.
void AddPrinter(Resource& resource);

// "Running", "Terminating", "CrashLoopBackOff", "Init:0/2", …: the STATUS column of a pod.
std::string PodStatusText(const Json& pod);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_PRINTERS_H_
