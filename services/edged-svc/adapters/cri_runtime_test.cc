// CriRuntime on real containerd. Tagged "local": it needs root and the network.
#include "services/edged-svc/adapters/cri_runtime.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "services/edged-svc/testing/private_containerd.h"
#include "services/edged-svc/testing/runtime_contract.h"

namespace skerry::edged {
namespace {

std::unique_ptr<PrivateContainerd> containerd;

class ContainerdEnvironment : public ::testing::Environment {
 public:
  void SetUp() override { containerd = std::make_unique<PrivateContainerd>(); }
  void TearDown() override { containerd.reset(); }
};

RuntimeUnderTest Make() {
  absl::StatusOr<std::unique_ptr<CriRuntime>> runtime =
      CriRuntime::Create({.endpoint = containerd->endpoint()});
  EXPECT_TRUE(runtime.ok()) << runtime.status();
  return {*std::move(runtime), PrivateContainerd::image(), containerd->folder() + "/test",
          containerd->cgroup()};
}

INSTANTIATE_TEST_SUITE_P(Containerd, RuntimeContractTest, ::testing::Values(Make));
const auto* const kEnvironment = ::testing::AddGlobalTestEnvironment(new ContainerdEnvironment);

TEST(CriRuntimeTest, SeesOnlyItsOwnPods) {
  const auto mine = CriRuntime::Create({.endpoint = containerd->endpoint(), .owner = "me"});
  const auto other = CriRuntime::Create({.endpoint = containerd->endpoint(), .owner = "other"});
  SandboxConfig sandbox;
  sandbox.name_space = "ns";
  sandbox.name = sandbox.hostname = "owned";
  sandbox.uid = "u";
  const auto id = (*mine)->RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  EXPECT_EQ((*mine)->ListPods()->size(), 1u);
  EXPECT_EQ((*other)->ListPods()->size(), 0u);
  EXPECT_TRUE((*mine)->StopSandbox(*id).ok());
  EXPECT_TRUE((*mine)->RemoveSandbox(*id).ok());
}

TEST(CriRuntimeTest, DestructionEndsWhatIsInFlight) {
  auto runtime = CriRuntime::Create({.endpoint = "unix:///tmp/no-such-runtime.sock"});
  ASSERT_TRUE(runtime.ok());
  bool done = false;
  (*runtime)->PullImage("x", {}, [&](absl::Status status) { done = !status.ok(); });
  runtime->reset();
  EXPECT_TRUE(done);
}

TEST(CriRuntimeTest, OnlyLocalEndpoints) {
  EXPECT_EQ(CriRuntime::Create({.endpoint = "10.0.0.1:1234"}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace skerry::edged
