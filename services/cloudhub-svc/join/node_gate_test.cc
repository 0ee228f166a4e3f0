#include "services/cloudhub-svc/join/node_gate.h"

#include <gtest/gtest.h>

#include "services/lib/testing/status_matchers.h"

namespace skerry::cloudhub {
namespace {

using testing::HasReason;
using testing::IsOk;

NodeName Node(absl::string_view name) { return *NodeName::Parse(name); }

class FakeRegistry final : public NodeRegistry {
 public:
  absl::Status BeginRotation(const NodeName&, absl::string_view, absl::string_view,
                             absl::Time) override {
    return absl::OkStatus();
  }
  absl::Status SetDisabled(const NodeName&, bool) override { return answer; }
  absl::StatusOr<std::vector<NodeName>> DisabledNodes() override { return disabled; }

  absl::Status answer;
  std::vector<NodeName> disabled;
};

TEST(NodeGateTest, RefusesDisabledNodes) {
  FakeRegistry registry;
  registry.disabled = {Node("edge-1")};
  auto gate = *NodeGate::Open(registry);
  EXPECT_THAT(gate->Admit(Node("edge-1")), HasReason("NODE_DISABLED"));
  EXPECT_THAT(gate->SetDisabled(Node("edge-1"), false), IsOk());
  EXPECT_THAT(gate->Admit(Node("edge-1")), IsOk());
  EXPECT_THAT(gate->SetDisabled(Node("edge-2"), true), IsOk());
  EXPECT_THAT(gate->Admit(Node("edge-2")), HasReason("NODE_DISABLED"));
  registry.answer = absl::UnavailableError("disk");
  EXPECT_FALSE(gate->SetDisabled(Node("edge-1"), true).ok());
  EXPECT_THAT(gate->Admit(Node("edge-1")), IsOk()) << "what is not on disk is not so";
}

}  // namespace
}  // namespace skerry::cloudhub
