#include "services/lib/security/certificate_expiry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "absl/strings/str_cat.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/status_matchers.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::security {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using ::testing::Not;

class CertificateExpiryTest : public ::testing::Test {
 protected:
  // Returns its end.
  absl::Time Issue(const std::string& path, absl::Duration life) {
    const absl::StatusOr<CertificateAndKey> issued = ca_->Issue({.subject = {.common_name = "c"},
                                                                 .now = clock_.Now(),
                                                                 .lifetime = life,
                                                                 .for_client = true});
    EXPECT_THAT(WriteFileAtomically(path, issued->certificate_pem, 0644), IsOk());
    return clock_.Now() + life;
  }
  void Pass(CertificateExpiry& expiry) {
    clock_.Advance(absl::Minutes(1));
    expiry.Settle();
  }
  void ExpectShown(const std::string& name, absl::Time end) {
    EXPECT_THAT(registry_.Render(),
                HasSubstr(absl::StrCat("skerry_certificate_expire_timestamp_seconds{certificate=\"",
                                       name, "\"} ", absl::ToUnixSeconds(end), "\n")));
  }

  testing::FakeClock clock_;
  testing::TempDir dir_;
  metrics::Registry registry_{"test-svc"};
  std::unique_ptr<CertificateAuthority> ca_ = *CertificateAuthority::Create("ca", clock_.Now());
};

TEST_F(CertificateExpiryTest, FollowsTheFiles) {
  const std::string client = dir_.File("client.crt");
  const std::string rest = dir_.File("rest.crt");
  const absl::Time first = Issue(client, absl::Hours(100));
  const absl::Time other = Issue(rest, absl::Hours(50));
  CertificateExpiry expiry({{"client", client}, {"rest", rest}}, clock_, registry_,
                           log::Logger::Null());
  ExpectShown("client", first);
  ExpectShown("rest", other);
  const absl::Time second = Issue(client, absl::Hours(2000));
  Pass(expiry);
  ExpectShown("client", second);
  ExpectShown("rest", other);
}

TEST_F(CertificateExpiryTest, TwoNamesMayHaveOneFile) {
  const std::string file = dir_.File("tls.crt");
  Issue(file, absl::Hours(100));
  CertificateExpiry expiry({{"client", file}, {"rest", file}}, clock_, registry_,
                           log::Logger::Null());
  const absl::Time second = Issue(file, absl::Hours(2000));
  Pass(expiry);
  ExpectShown("client", second);
  ExpectShown("rest", second);
}

TEST_F(CertificateExpiryTest, WhatNeverCouldBeReadHasNoEnd) {
  const std::string file = dir_.File("tls.crt");
  CertificateExpiry expiry({{"client", file}}, clock_, registry_, log::Logger::Null());
  EXPECT_THAT(registry_.Render(), Not(HasSubstr("expire_timestamp")));
  const absl::Time end = Issue(file, absl::Hours(100));
  Pass(expiry);
  ExpectShown("client", end);
}

TEST_F(CertificateExpiryTest, WhatCannotBeReadLeavesTheFormerValue) {
  const std::string client = dir_.File("client.crt");
  const absl::Time first = Issue(client, absl::Hours(100));
  CertificateExpiry expiry({{"client", client}}, clock_, registry_, log::Logger::Null());
  ASSERT_THAT(WriteFileAtomically(client, "-----BEGIN CERTIFICATE-----\nxx", 0644), IsOk());
  Pass(expiry);
  ExpectShown("client", first);
  ASSERT_EQ(remove(client.c_str()), 0);
  Pass(expiry);
  ExpectShown("client", first);
  const absl::Time second = Issue(client, absl::Hours(300));
  Pass(expiry);
  ExpectShown("client", second);
}

TEST_F(CertificateExpiryTest, FollowsALinkToAnotherFolderAsASecretsVolumeHasIt) {
  const std::string link = dir_.File("tls.crt");
  const absl::Time first = Issue(dir_.File("a.crt"), absl::Hours(100));
  const absl::Time second = Issue(dir_.File("b.crt"), absl::Hours(200));
  ASSERT_EQ(symlink(dir_.File("a.crt").c_str(), link.c_str()), 0);
  CertificateExpiry expiry({{"client", link}}, clock_, registry_, log::Logger::Null());
  ExpectShown("client", first);
  ASSERT_EQ(symlink(dir_.File("b.crt").c_str(), dir_.File("next").c_str()), 0);
  ASSERT_EQ(rename(dir_.File("next").c_str(), link.c_str()), 0);
  Pass(expiry);
  ExpectShown("client", second);
}

}  // namespace
}  // namespace skerry::security
