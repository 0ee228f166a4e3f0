// edgehub-svc as its own main() runs it, or a process of several services.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_ENTRY_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_ENTRY_H_

#include <memory>

#include "services/lib/process/service.h"

namespace skerry::edgehub {

std::unique_ptr<process::Service> Entry();

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_ENTRY_H_
