#include "services/lib/http/client_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::http {
namespace {

// The protocols that we speak, each after its length.
constexpr unsigned char kAlpn[] = "\x08http/1.1";

using Bio = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;

absl::Status Failed(absl::string_view what) {
  return Error(absl::StatusCode::kUnavailable, what).Reason("HTTP_TLS_FAILED");
}

// Takes OpenSSL's error queue along.
absl::Status Unusable(absl::string_view what) {
  const unsigned long code = ERR_peek_last_error();  // NOLINT(google-runtime-int): OpenSSL's type
  char text[256] = "unknown error";
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Failed(absl::StrCat("cannot use ", what, ": ", text));
}

Bio ReadOnly(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all};
}

absl::Status TrustPem(SSL_CTX* context, const std::string& pem) {
  const Bio bio = ReadOnly(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  for (;;) {
    const Certificate each(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free);
    if (each == nullptr) break;
    if (X509_STORE_add_cert(store, each.get()) != 1) return Unusable("the CA");
    ++count;
  }
  if (count == 0) return Unusable("the CA");
  ERR_clear_error();  // The end of the text is an error.
  return absl::OkStatus();
}

absl::Status TrustRoots(SSL_CTX* context, const TlsTrust& trust) {
  if (!trust.ca_file.empty()) {
    return SSL_CTX_load_verify_file(context, trust.ca_file.c_str()) == 1
               ? absl::OkStatus()
               : Unusable(absl::StrCat("the CA file ", trust.ca_file));
  }
  if (!trust.ca_pem.empty()) return TrustPem(context, trust.ca_pem);
  const absl::StatusOr<security::SystemRoots> roots = security::FindSystemRoots(trust.system);
  if (!roots.ok()) return Failed(roots.status().message());
  const bool taken = roots->file.empty()
                         ? SSL_CTX_load_verify_dir(context, roots->folder.c_str()) == 1
                         : SSL_CTX_load_verify_file(context, roots->file.c_str()) == 1;
  return taken ? absl::OkStatus()
               : Unusable(absl::StrCat("the system's roots, ", roots->folder, roots->file));
}

absl::Status ShowIdentity(SSL_CTX* context, const std::string& pem) {
  const Bio certificates = ReadOnly(pem);
  const Certificate own(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr),
                        X509_free);
  if (own == nullptr || SSL_CTX_use_certificate(context, own.get()) != 1)
    return Unusable("our certificate");
  for (;;) {  // Those above it.
    Certificate next(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr), X509_free);
    if (next == nullptr) break;
    if (SSL_CTX_add0_chain_cert(context, next.get()) != 1) return Unusable("our certificate");
    static_cast<void>(next.release());
  }
  ERR_clear_error();
  const Bio keys = ReadOnly(pem);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PrivateKey(keys.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  if (key == nullptr || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return Unusable("our key");
  return absl::OkStatus();
}

// "host." is the host of a certificate for "host".
std::string WithoutLastDot(absl::string_view host) {
  return std::string(absl::StripSuffix(host, "."));
}

}  // namespace

absl::StatusOr<SslContext> MakeClientContext(const TlsTrust& trust) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (context == nullptr) return Unusable("OpenSSL");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof kAlpn - 1) != 0)
    return Unusable("OpenSSL");
  if (trust.verify) {
    SKERRY_RETURN_IF_ERROR(TrustRoots(context.get(), trust));
    // Whoever gives an intermediate as the CA means that.
    X509_STORE_set_flags(SSL_CTX_get_cert_store(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  if (!trust.identity_pem.empty())
    SKERRY_RETURN_IF_ERROR(ShowIdentity(context.get(), trust.identity_pem));
  return context;
}

absl::Status ExpectServer(ssl_st* ssl, const std::string& host, bool verify) {
  const std::string name = WithoutLastDot(host);
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  const std::unique_ptr<ASN1_OCTET_STRING, decltype(&ASN1_OCTET_STRING_free)> address(
      a2i_IPADDRESS(name.c_str()), ASN1_OCTET_STRING_free);
  ERR_clear_error();
  if (address != nullptr) {
    if (verify && X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) != 1)
      return Unusable(absl::StrCat("the address ", name));
    return absl::OkStatus();
  }
  if (SSL_set_tlsext_host_name(ssl, name.c_str()) != 1)
    return Unusable(absl::StrCat("the name ", name));
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (verify && X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) != 1)
    return Unusable(absl::StrCat("the name ", name));
  return absl::OkStatus();
}

absl::Status HandshakeError(const ssl_st* ssl, const std::string& host, absl::string_view what) {
  const long result = SSL_get_verify_result(ssl);  // NOLINT(google-runtime-int): OpenSSL's type
  ERR_clear_error();
  if (result == X509_V_OK) return Failed(absl::StrCat("no TLS with ", host, ": ", what));
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("the certificate of ", host,
                            " is not trusted: ", X509_verify_cert_error_string(result)))
      .Reason("HTTP_TLS_UNTRUSTED")
      .Meta("host", host);
}

}  // namespace skerry::http
