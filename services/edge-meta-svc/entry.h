// edge-meta-svc as its own main() runs it, or a process of several services.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_ENTRY_H_
#define SKERRY_SERVICES_EDGE_META_SVC_ENTRY_H_

#include <memory>

#include "services/lib/process/service.h"

namespace skerry::edgemeta {

std::unique_ptr<process::Service> Entry();

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_ENTRY_H_
