#include "services/edgehub-svc/renewal/node_identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "services/lib/security/ca.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::edgehub {
namespace {

using testing::HasReason;
using ::testing::HasSubstr;
using testing::IsOk;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

class NodeIdentityTest : public ::testing::Test {
 protected:
  security::CertificateAndKey Issue(const std::string& common_name) {
    return *ca_->Issue({.subject = {.common_name = common_name}, .now = kNow, .for_client = true});
  }
  absl::StatusOr<NodeIdentity> Read(const std::string& text) {
    return ReadNodeIdentity(dir_.Write("node.pem", text));
  }

  testing::TempDir dir_;
  std::unique_ptr<security::CertificateAuthority> ca_ =
      *security::CertificateAuthority::Create("ca", kNow);
};

TEST_F(NodeIdentityTest, IsACertificateAndItsKey) {
  const security::CertificateAndKey issued = Issue("system:node:edge-1");
  const std::string text = issued.certificate_pem + issued.key_pem;
  auto identity = Read(text);
  ASSERT_THAT(identity, IsOk());
  EXPECT_EQ(identity->node.value(), "edge-1");
  EXPECT_EQ(identity->pem, text);
  EXPECT_EQ(identity->certificate.not_after, kNow + absl::Hours(24 * 365));
}

TEST_F(NodeIdentityTest, SaysWhatIsWrongAndWhatToDo) {
  auto missing = ReadNodeIdentity(dir_.File("none"));
  EXPECT_THAT(missing, HasReason("NODE_NOT_JOINED"));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("skerryctl join"));
  const security::CertificateAndKey one = Issue("system:node:edge-1");
  const security::CertificateAndKey other = Issue("system:node:edge-1");
  const security::CertificateAndKey hub = Issue("skerry-cloudhub");
  for (const std::string& text :
       {std::string(), std::string("garbage"), one.certificate_pem, one.key_pem,
        one.certificate_pem + other.key_pem, hub.certificate_pem + hub.key_pem}) {
    EXPECT_THAT(Read(text), HasReason("NODE_CERTIFICATE_WRONG")) << text;
  }
}

}  // namespace
}  // namespace skerry::edgehub
