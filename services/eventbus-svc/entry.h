// eventbus-svc as its own main() runs it, or a process of several services.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ENTRY_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ENTRY_H_

#include <memory>

#include "services/lib/process/service.h"

namespace skerry::eventbus {

std::unique_ptr<process::Service> Entry();

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ENTRY_H_
