// EdgedApp on containerd.
#include <memory>

#include "services/edged-svc/testing/app_suite.h"
#include "services/edged-svc/testing/private_containerd.h"

namespace skerry::edged {

std::unique_ptr<PrivateRuntime> MakePrivateRuntime() {
  return std::make_unique<PrivateContainerd>();
}

}  // namespace skerry::edged
