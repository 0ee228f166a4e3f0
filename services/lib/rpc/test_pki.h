// A CA and files of server and client below a temporary folder, for the tests of this folder.
#ifndef SKERRY_SERVICES_LIB_RPC_TEST_PKI_H_
#define SKERRY_SERVICES_LIB_RPC_TEST_PKI_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "services/lib/base/check.h"
#include "services/lib/security/ca.h"
#include "services/lib/security/files.h"
#include "services/lib/security/tls.h"

namespace skerry::rpc {

// Used by one thread.
class TestPki {
 public:
  explicit TestPki(const std::string& folder) : folder_(folder) {
    ca_ = *security::CertificateAuthority::Create("test-ca", absl::Now());
    Write("ca.crt", ca_->certificate_pem());
  }

  security::TlsFiles Issue(const std::string& name, security::CertificateSpec spec) {
    spec.now = absl::Now();
    spec.for_server = spec.for_client = true;
    security::CertificateAndKey made = *ca_->Issue(spec);
    Write(name + ".key", made.key_pem);
    Write(name + ".crt", made.certificate_pem);
    return {folder_ + "/ca.crt", absl::StrCat(folder_, "/", name, ".crt"),
            absl::StrCat(folder_, "/", name, ".key")};
  }
  security::TlsFiles Server() {
    return Issue("server", {.subject = {.common_name = "server"},
                            .dns_names = {"hub"},
                            .ip_addresses = {"127.0.0.1"}});
  }
  security::TlsFiles Client(const std::string& organization = "system:nodes") {
    return Issue("client", {.subject = {.common_name = "system:node:n1",
                                        .organizations = {organization, "more"}}});
  }
  const security::CertificateAuthority& ca() const { return *ca_; }

 private:
  void Write(const std::string& name, const std::string& content) {
    SKERRY_CHECK(
        security::WriteFileAtomically(absl::StrCat(folder_, "/", name), content, 0600).ok());
  }
  const std::string folder_;
  std::unique_ptr<security::CertificateAuthority> ca_;
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_TEST_PKI_H_
