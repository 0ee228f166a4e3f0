#include "services/edged-svc/entry.h"

#include "services/edged-svc/app.h"
#include "services/edged-svc/config.h"

namespace skerry::edged {

std::unique_ptr<process::Service> Entry() {
  return std::make_unique<process::ServiceOf<EdgedConfig, EdgedApp>>(
      "edged-svc", "Runs the pods of this box through its container runtime.");
}

}  // namespace skerry::edged
