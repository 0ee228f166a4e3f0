#include "services/edge-meta-svc/entry.h"

#include "services/edge-meta-svc/app.h"
#include "services/edge-meta-svc/config.h"

namespace skerry::edgemeta {

std::unique_ptr<process::Service> Entry() {
  return std::make_unique<process::ServiceOf<MetaConfig, MetaApp>>(
      "edge-meta-svc", "The box's own copy of Kubernetes objects.");
}

}  // namespace skerry::edgemeta
