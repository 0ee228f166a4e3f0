// The whole service between a fake edge-meta-svc and a real container runtime: one suite for all
// kinds of runtime. Tests of it are tagged "local": they need root and the network.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_APP_SUITE_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_APP_SUITE_H_

#include <memory>

#include "services/edged-svc/testing/private_runtime.h"

namespace skerry::edged {

// Defined by the test that links the suite. Its pods can be reached by their addresses.
std::unique_ptr<PrivateRuntime> MakePrivateRuntime();

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_APP_SUITE_H_
