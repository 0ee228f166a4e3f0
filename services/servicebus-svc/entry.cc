#include "services/servicebus-svc/entry.h"

#include "services/servicebus-svc/app.h"
#include "services/servicebus-svc/config.h"

namespace skerry::servicebus {

std::unique_ptr<process::Service> Entry() {
  return std::make_unique<process::ServiceOf<ServiceBusConfig, ServiceBusApp>>(
      "servicebus-svc", "HTTP between the cloud and the box's services.");
}

}  // namespace skerry::servicebus
