#include "services/cloudhub-svc/service/node_identity.h"

#include <gtest/gtest.h>

#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

TEST(NodeOfTest, TakesTheNameFromTheCommonName) {
  absl::StatusOr<NodeName> node =
      NodeOf({.common_name = "system:node:edge-1", .organizations = {"system:nodes"}});
  ASSERT_TRUE(node.ok()) << node.status();
  EXPECT_EQ(node->value(), "edge-1");
}

TEST(NodeOfTest, RefusesEveryOtherCertificate) {
  const rpc::PeerIdentity others[] = {
      {},
      {.common_name = "system:node:edge-1"},
      {.common_name = "system:node:edge-1", .organizations = {"skerry:controllers"}},
      {.common_name = "edge-1", .organizations = {"system:nodes"}},
      {.common_name = "system:node:", .organizations = {"system:nodes"}},
      {.common_name = "system:node:../x", .organizations = {"system:nodes"}},
  };
  for (const rpc::PeerIdentity& peer : others) {
    absl::StatusOr<NodeName> node = NodeOf(peer);
    ASSERT_FALSE(node.ok()) << peer.common_name;
    EXPECT_EQ(node.status().code(), absl::StatusCode::kPermissionDenied);
    EXPECT_EQ(GetErrorInfo(node.status()).reason, "NODE_CERTIFICATE_REQUIRED");
  }
}

}  // namespace
}  // namespace skerry::cloudhub
