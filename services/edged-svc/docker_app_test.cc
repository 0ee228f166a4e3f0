// EdgedApp on Docker Engine, in a network namespace of this process.
#include <gtest/gtest.h>

#include <memory>

#include "services/edged-svc/testing/app_suite.h"
#include "services/edged-svc/testing/private_dockerd.h"

namespace skerry::edged {

std::unique_ptr<PrivateRuntime> MakePrivateRuntime() {
  return std::make_unique<PrivateDockerd>(PrivateDockerd::Network::kCallers);
}

}  // namespace skerry::edged

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  skerry::edged::PrivateDockerd::EnterNetwork();
  return RUN_ALL_TESTS();
}
