#include "services/twin-svc/entry.h"

#include "services/twin-svc/app.h"
#include "services/twin-svc/config.h"

namespace skerry::twin {

std::unique_ptr<process::Service> Entry() {
  return std::make_unique<process::ServiceOf<TwinConfig, TwinApp>>(
      "twin-svc", "The twins of the box's devices.");
}

}  // namespace skerry::twin
