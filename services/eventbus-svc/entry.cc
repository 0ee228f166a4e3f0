#include "services/eventbus-svc/entry.h"

#include "services/eventbus-svc/app.h"
#include "services/eventbus-svc/config.h"

namespace skerry::eventbus {

std::unique_ptr<process::Service> Entry() {
  return std::make_unique<process::ServiceOf<BusConfig, BusApp>>(
      "eventbus-svc", "KubeEdge's MQTT topics for the box's devices.");
}

}  // namespace skerry::eventbus
