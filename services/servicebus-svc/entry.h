// servicebus-svc as its own main() runs it, or a process of several services.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_ENTRY_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_ENTRY_H_

#include <memory>

#include "services/lib/process/service.h"

namespace skerry::servicebus {

std::unique_ptr<process::Service> Entry();

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_ENTRY_H_
