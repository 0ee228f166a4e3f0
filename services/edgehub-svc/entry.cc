#include "services/edgehub-svc/entry.h"

#include "services/edgehub-svc/app.h"
#include "services/edgehub-svc/config.h"

namespace skerry::edgehub {

std::unique_ptr<process::Service> Entry() {
  return std::make_unique<process::ServiceOf<EdgeHubConfig, EdgeHubApp>>(
      "edgehub-svc", "Keeps the box connected to the cloud, and holds what could not be sent yet.");
}

}  // namespace skerry::edgehub
