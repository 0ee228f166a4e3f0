// CriRuntime on real containerd. Tagged "local": it needs root and the network.
#include "services/edged-svc/adapters/cri_runtime.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "absl/time/clock.h"
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

// [edged-6.2]
TEST(CriRuntimeTest, KnowsWhichImagesAreNeeded) {
  const auto created = CriRuntime::Create({.endpoint = containerd->endpoint(), .owner = "me"});
  CriRuntime& runtime = **created;
  containerd->AddImage("skerry.local/idle:1");
  const auto find = [&](const std::string& name) {
    const auto images = runtime.ListImages();
    EXPECT_TRUE(images.ok()) << images.status();
    for (const StoredImage& image : *images) {
      if (std::count(image.names.begin(), image.names.end(), name) > 0) return image;
    }
    return StoredImage();
  };
  SandboxConfig sandbox;
  sandbox.name_space = "ns";
  sandbox.name = sandbox.hostname = "images";
  sandbox.uid = "images";
  const auto id = runtime.RunSandbox(sandbox);
  ASSERT_TRUE(id.ok()) << id.status();
  ContainerConfig config;
  config.name = "c";
  config.image_id = find(PrivateContainerd::image()).id;
  config.command = {"sleep", "1000"};
  EXPECT_FALSE(find(PrivateContainerd::image()).used);
  ASSERT_TRUE(runtime.CreateContainer(*id, sandbox, config).ok());
  const StoredImage used = find(PrivateContainerd::image());
  EXPECT_TRUE(used.used);
  EXPECT_FALSE(used.pinned);
  EXPECT_GT(used.size_bytes, 100'000);
  EXPECT_TRUE(find("skerry.local/pause:1").pinned);
  // CRI hears of what others import a little later.
  StoredImage idle = find("skerry.local/idle:1");
  for (int i = 0; i < 200 && idle.id.empty(); ++i) {
    absl::SleepFor(absl::Milliseconds(50));  // NOLINT(test-sleeps): polls, for up to 10 s
    idle = find("skerry.local/idle:1");
  }
  EXPECT_FALSE(idle.used || idle.pinned);
  EXPECT_TRUE(runtime.RemoveImage(idle.id).ok());
  EXPECT_TRUE(runtime.RemoveImage(idle.id).ok());
  EXPECT_EQ(find("skerry.local/idle:1").id, "");
  EXPECT_TRUE(runtime.StopSandbox(*id).ok());
  EXPECT_TRUE(runtime.RemoveSandbox(*id).ok());
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
