#include "services/lib/security/ca.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/lib/security/csr.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::security {
namespace {

using ::testing::ElementsAre;
using testing::HasReason;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

CertificateSpec NodeSpec() {
  return {.subject = {.common_name = "system:node:n1", .organizations = {"system:nodes", "second"}},
          .now = kNow,
          .lifetime = absl::Hours(24),
          .for_client = true};
}

TEST(CaTest, IssuesWhatTheSpecSays) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  CertificateSpec spec = NodeSpec();
  spec.for_server = true;
  spec.dns_names = {"hub.example", "a,DNS:evil.example"};  // A comma must not start another name.
  spec.ip_addresses = {"10.0.0.1", "2001:db8::1"};
  auto made = ca->Issue(spec);
  ASSERT_THAT(made, IsOk());
  auto info = ParseCertificatePem(made->certificate_pem);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->common_name, "system:node:n1");
  EXPECT_THAT(info->organizations, ElementsAre("system:nodes", "second"));
  EXPECT_THAT(info->dns_names, ElementsAre("hub.example", "a,DNS:evil.example"));
  EXPECT_THAT(info->ip_addresses, ElementsAre("10.0.0.1", "2001:db8::1"));
  EXPECT_EQ(info->not_before, kNow - absl::Hours(1));
  EXPECT_EQ(info->not_after, kNow + absl::Hours(24));
  EXPECT_FALSE(info->is_ca);
  EXPECT_EQ(info->serial.size(), 32u);
  EXPECT_THAT(CheckKeyFitsCertificate(made->certificate_pem, made->key_pem), IsOk());
  EXPECT_THAT(VerifyChain(made->certificate_pem, ca->certificate_pem(), kNow), IsOk());
  EXPECT_NE(ParseCertificatePem(ca->Issue(spec)->certificate_pem)->serial, info->serial);
}

TEST(CaTest, SaysWhyAChainIsNoGood) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  auto other = *CertificateAuthority::Create("test-ca", kNow);
  std::string certificate = ca->Issue(NodeSpec())->certificate_pem;
  EXPECT_THAT(VerifyChain(certificate, other->certificate_pem(), kNow),
              HasReason("CERTIFICATE_UNTRUSTED"));
  EXPECT_THAT(VerifyChain(certificate, ca->certificate_pem(), kNow + absl::Hours(25)),
              HasReason("CERTIFICATE_EXPIRED"));
  EXPECT_THAT(VerifyChain(certificate, ca->certificate_pem(), kNow - absl::Minutes(61)),
              HasReason("CERTIFICATE_NOT_YET_VALID"));
  EXPECT_THAT(VerifyChain("nonsense", ca->certificate_pem(), kNow),
              HasReason("CERTIFICATE_INVALID"));
  EXPECT_THAT(VerifyChain(certificate, "", kNow), HasReason("CERTIFICATE_INVALID"));
  // What a node holds signs nothing.
  EXPECT_THAT(CertificateAuthority::Load(certificate, ca->Issue(NodeSpec())->key_pem).status(),
              HasReason("KEY_MISMATCH"));
  auto node = *ca->Issue(NodeSpec());
  EXPECT_THAT(CertificateAuthority::Load(node.certificate_pem, node.key_pem).status(),
              HasReason("NOT_A_CA"));
}

TEST(CaTest, NoCertificateOutlivesItsCa) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  CertificateSpec spec = NodeSpec();
  spec.lifetime = absl::Hours(24 * 365 * 50);
  auto info = *ParseCertificatePem(ca->Issue(spec)->certificate_pem);
  EXPECT_EQ(info.not_after, ParseCertificatePem(ca->certificate_pem())->not_after);
}

TEST(CaTest, SignsTheKeyOfARequestAndNothingElseOfIt) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  auto request =
      *MakeKeyAndCsr({.common_name = "system:masters", .organizations = {"system:masters"}});
  auto certificate = ca->SignCsr(request.csr_pem, NodeSpec());
  ASSERT_THAT(certificate, IsOk());
  auto info = *ParseCertificatePem(*certificate);
  EXPECT_EQ(info.common_name, "system:node:n1");
  EXPECT_THAT(info.organizations, ElementsAre("system:nodes", "second"));
  EXPECT_THAT(CheckKeyFitsCertificate(*certificate, request.key_pem), IsOk());
  EXPECT_EQ(ParseCertificatePem(*certificate)->key_sha256_hex,
            Sha256Hex(*CsrPublicKeyDer(request.csr_pem)));
  EXPECT_THAT(ca->SignCsr("nonsense", NodeSpec()).status(), HasReason("CSR_INVALID"));
}

TEST(CaTest, ABriefLifeIsNotBackdatedByMuch) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  CertificateSpec spec = NodeSpec();
  spec.lifetime = absl::Seconds(60);
  auto info = *ParseCertificatePem(ca->Issue(spec)->certificate_pem);
  EXPECT_EQ(info.not_before, kNow - absl::Seconds(6));
  EXPECT_EQ(info.not_after, kNow + absl::Seconds(60));
}

TEST(CaTest, RefusesAddressesThatAreNone) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  CertificateSpec spec = NodeSpec();
  spec.ip_addresses = {"10.0.0"};
  EXPECT_THAT(ca->Issue(spec).status(), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(CaTest, ItsHashIsThatOfTheDer) {
  auto ca = *CertificateAuthority::Create("test-ca", kNow);
  std::string der = *CertificatePemToDer(ca->certificate_pem());
  EXPECT_EQ(ca->hash(), Sha256Hex(der));
  EXPECT_EQ(ca->hash(), ParseCertificatePem(ca->certificate_pem())->sha256_hex);
  EXPECT_EQ(*CertificateDerToPem(der), ca->certificate_pem());
  EXPECT_THAT(CertificateDerToPem("nonsense").status(), HasReason("CERTIFICATE_INVALID"));
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(CaTest, IsTheSameAfterARestart) {
  testing::TempDir dir;
  std::string folder = dir.path() + "/a/ca";
  auto first = CertificateAuthority::LoadOrCreate(folder, "test-ca", kNow);
  ASSERT_THAT(first, IsOk());
  auto second = CertificateAuthority::LoadOrCreate(folder, "test-ca", kNow);
  ASSERT_THAT(second, IsOk());
  EXPECT_EQ((*first)->hash(), (*second)->hash());
  auto node = (*second)->Issue(NodeSpec());
  EXPECT_THAT(VerifyChain(node->certificate_pem, (*first)->certificate_pem(), kNow), IsOk());
  struct stat info;
  ASSERT_EQ(stat((folder + "/ca.key").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST(CaTest, HalfACaIsNotReplaced) {
  testing::TempDir dir;
  ASSERT_THAT(CertificateAuthority::LoadOrCreate(dir.path(), "test-ca", kNow), IsOk());
  std::string key = *ReadSmallFile(dir.path() + "/ca.key");
  unlink((dir.path() + "/ca.key").c_str());
  EXPECT_THAT(CertificateAuthority::LoadOrCreate(dir.path(), "test-ca", kNow).status(),
              HasReason("CA_INCOMPLETE"));
  auto other = *CertificateAuthority::Create("test-ca", kNow);
  ASSERT_THAT(WriteFileAtomically(dir.path() + "/ca.key", key, 0600), IsOk());
  ASSERT_THAT(WriteFileAtomically(dir.path() + "/ca.crt", other->certificate_pem(), 0644), IsOk());
  EXPECT_THAT(CertificateAuthority::LoadOrCreate(dir.path(), "test-ca", kNow).status(),
              HasReason("KEY_MISMATCH"));
}

// ---- Requests.

constexpr char kWeakCsr[] =  // RSA of 1,024 bits.
    "-----BEGIN CERTIFICATE REQUEST-----\n"
    "MIIBWDCBwgIBADAZMRcwFQYDVQQDDA5zeXN0ZW06bm9kZTpuMTCBnzANBgkqhkiG\n"
    "9w0BAQEFAAOBjQAwgYkCgYEAy4IFd2TKeHIEGZqQvPKPi2zn8ouAA+qtfi+dux50\n"
    "fwTJD16S1TNR/SQZg6wR9ZRoxTsnaL47RamUkySnBi5lx07qrMAFxeX0SW9xM9eZ\n"
    "ZVWhII7rOr9Xfv+7JjEhUmBrKiITfm6AVjjo1ZqFZ6CSVl1WWzwcL+YWPTSs1MlT\n"
    "na8CAwEAAaAAMA0GCSqGSIb3DQEBCwUAA4GBAG9fEba/eCdgr5hyWZGj47zO+eFv\n"
    "W3IoqSb0Wriu98fIq50Zp7NsY5dowRI16WmNVPVNCbLfDDCup5f9yaF/QI3Na6yY\n"
    "q/3EUp2xvDh2GU7JayE8AFJSOX13CqMVn9TuxXrm0kOzTmzaT0rzTnrXzRq2XiBY\n"
    "3t01jr4A9dSQlkuU\n"
    "-----END CERTIFICATE REQUEST-----\n";

TEST(CsrTest, TellsItsSubject) {
  auto made = MakeKeyAndCsr({.common_name = "system:node:n1", .organizations = {"system:nodes"}});
  ASSERT_THAT(made, IsOk());
  auto subject = ParseCsr(made->csr_pem);
  ASSERT_THAT(subject, IsOk());
  EXPECT_EQ(subject->common_name, "system:node:n1");
  EXPECT_THAT(subject->organizations, ElementsAre("system:nodes"));
  auto again = MakeCsr(made->key_pem, {.common_name = "other"});
  ASSERT_THAT(again, IsOk());
  EXPECT_EQ(ParseCsr(*again)->common_name, "other");
  EXPECT_THAT(ParseCsr(*again)->organizations, IsEmpty());
  EXPECT_THAT(MakeCsr("nonsense", {.common_name = "x"}).status(), HasReason("KEY_INVALID"));
}

TEST(CsrTest, TellsKeysApart) {
  auto made = MakeKeyAndCsr({.common_name = "a"});
  ASSERT_THAT(made, IsOk());
  std::string key = *CsrPublicKeyDer(made->csr_pem);
  EXPECT_GT(key.size(), 64u);
  EXPECT_EQ(*CsrPublicKeyDer(*MakeCsr(made->key_pem, {.common_name = "b"})), key);
  EXPECT_NE(*CsrPublicKeyDer(MakeKeyAndCsr({.common_name = "a"})->csr_pem), key);
  EXPECT_THAT(CsrPublicKeyDer("").status(), HasReason("CSR_INVALID"));
  EXPECT_THAT(CsrPublicKeyDer(std::string(100000, 'A')).status(), HasReason("CSR_INVALID"));
}

TEST(CsrTest, RefusesWhatIsBrokenWeakOrForged) {
  std::string good = MakeKeyAndCsr({.common_name = "system:node:n1"})->csr_pem;
  EXPECT_THAT(ParseCsr("").status(), HasReason("CSR_INVALID"));
  EXPECT_THAT(ParseCsr(std::string(100000, 'A')).status(), HasReason("CSR_INVALID"));
  EXPECT_THAT(ParseCsr(kWeakCsr).status(), HasReason("CSR_INVALID"));
  // Any changed character breaks the encoding or the signature.
  int refused = 0;
  int tried = 0;
  for (size_t i = good.find('\n') + 1; i < good.rfind("\n-----"); i += 7) {
    std::string forged = good;
    if (forged[i] == '\n') continue;
    forged[i] = forged[i] == 'A' ? 'B' : 'A';
    ++tried;
    if (!ParseCsr(forged).ok()) ++refused;
  }
  EXPECT_EQ(refused, tried);
  EXPECT_GT(tried, 20);
}

TEST(CsrTest, RefusesNamesThatCannotBeWritten) {
  EXPECT_THAT(MakeKeyAndCsr({.common_name = std::string(100, 'x')}).status(),
              HasReason("CSR_INVALID"));
}

}  // namespace
}  // namespace skerry::security
