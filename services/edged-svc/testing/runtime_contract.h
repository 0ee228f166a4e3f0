// What every Runtime must do: one suite for all adapters.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_RUNTIME_CONTRACT_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_RUNTIME_CONTRACT_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

#include "services/edged-svc/core/runtime.h"

namespace skerry::edged {

// A runtime that is there for the test alone, and an image in it that has a shell.
struct RuntimeUnderTest {
  std::shared_ptr<Runtime> runtime;
  std::string image;
  std::string folder;  // For logs and mounts.
  std::string cgroup;  // A parent for cgroups.
};

// Instantiate with INSTANTIATE_TEST_SUITE_P(…, RuntimeContractTest, ::testing::Values(factory)).
class RuntimeContractTest : public ::testing::TestWithParam<std::function<RuntimeUnderTest()>> {
 protected:
  RuntimeContractTest() : env_(GetParam()()), runtime_(*env_.runtime) {}
  ~RuntimeContractTest() override;

  SandboxConfig Sandbox(const std::string& name);
  ContainerConfig Container(const std::string& name, const std::string& script);
  // Creates and starts; the ids.
  std::string Run(const std::string& sandbox_id, const SandboxConfig& sandbox,
                  const ContainerConfig& config);
  PodView View(const std::string& name);
  // Until the container is in `state`, up to 20 s.
  ContainerView Await(const std::string& name, const std::string& container,
                      ContainerView::State state);
  absl::Status Stop(const std::string& id, absl::Duration grace);
  absl::StatusOr<ExecResult> Exec(const std::string& id, const std::string& script,
                                  absl::Duration timeout = absl::Seconds(10));

  RuntimeUnderTest env_;
  Runtime& runtime_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_RUNTIME_CONTRACT_H_
