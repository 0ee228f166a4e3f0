// Any text as a join token, a certificate request and a certificate: what the join port is given.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/join_tokens.h"
#include "services/lib/security/x509.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto token = skerry::security::ParseJoinToken(text);
  if (token.ok() && skerry::security::FormatJoinToken(*token) != text) std::abort();
  if (skerry::security::ParseCsr(text).ok() && !skerry::security::CsrPublicKeyDer(text).ok())
    std::abort();
  skerry::security::ParseCertificatePem(text).IgnoreError();
  skerry::security::CertificateDerToPem(text).IgnoreError();
  return 0;
}
