#include "services/lib/security/x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/openssl_util.h"

namespace skerry::security {
namespace {

void ReadAlternativeNames(const X509* certificate, CertificateInfo& info) {
  GeneralNamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) {
      const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName));
      info.dns_names.emplace_back(text, static_cast<size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      int size = ASN1_STRING_length(name->d.iPAddress);
      char text[INET6_ADDRSTRLEN] = {};
      if (size != 4 && size != 16) continue;
      inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), text,
                sizeof(text));
      info.ip_addresses.emplace_back(text);
    }
  }
}

std::string SerialHex(const X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* hex = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  BN_free(number);
  return text;
}

absl::Status ChainError(int code) {
  std::string why = X509_verify_cert_error_string(code);
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Error(absl::StatusCode::kFailedPrecondition, why).Reason("CERTIFICATE_EXPIRED");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Error(absl::StatusCode::kFailedPrecondition, why).Reason("CERTIFICATE_NOT_YET_VALID");
    default:
      return Error(absl::StatusCode::kFailedPrecondition, why).Reason("CERTIFICATE_UNTRUSTED");
  }
}

// Adds all certificates of `pem` after the first `skip` to `stack`, which owns them.
void ReadFurther(absl::string_view pem, int skip, STACK_OF(X509) * stack) {
  BioPtr bio = MemoryBio(pem);
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    if (skip-- > 0 || sk_X509_push(stack, certificate) == 0) X509_free(certificate);
  }
  ERR_clear_error();  // The end of the file.
}

void FreeStack(STACK_OF(X509) * stack) { sk_X509_pop_free(stack, X509_free); }

}  // namespace

absl::StatusOr<CertificateInfo> ParseCertificatePem(absl::string_view pem) {
  SKERRY_ASSIGN_OR_RETURN(X509Ptr certificate, ReadCertificate(pem));
  CertificateInfo info;
  const X509_NAME* subject = X509_get_subject_name(certificate.get());
  std::vector<std::string> names = NameValues(subject, NID_commonName);
  // Two common names are two identities: trust neither.
  if (names.size() == 1) info.common_name = std::move(names[0]);
  info.organizations = NameValues(subject, NID_organizationName);
  ReadAlternativeNames(certificate.get(), info);
  info.not_before = ToTime(X509_get0_notBefore(certificate.get()));
  info.not_after = ToTime(X509_get0_notAfter(certificate.get()));
  info.serial = SerialHex(certificate.get());
  info.is_ca = X509_check_ca(certificate.get()) == 1;
  SKERRY_ASSIGN_OR_RETURN(std::string der, CertificateDer(certificate.get()));
  info.sha256_hex = Sha256Hex(der);
  SKERRY_ASSIGN_OR_RETURN(std::string key, PublicKeyDer(X509_get0_pubkey(certificate.get())));
  info.key_sha256_hex = Sha256Hex(key);
  return info;
}

absl::StatusOr<std::string> CertificatePemToDer(absl::string_view pem) {
  SKERRY_ASSIGN_OR_RETURN(X509Ptr certificate, ReadCertificate(pem));
  return CertificateDer(certificate.get());
}

absl::StatusOr<std::string> CertificateDerToPem(absl::string_view der) {
  const auto* data = reinterpret_cast<const unsigned char*>(der.data());
  X509Ptr certificate(
      d2i_X509(nullptr, &data, static_cast<long>(der.size())));  // NOLINT: OpenSSL's type
  if (certificate == nullptr) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("not a certificate in DER form (", OpensslReason(), ")"))
        .Reason("CERTIFICATE_INVALID");
  }
  return CertificatePem(certificate.get());
}

absl::Status CheckKeyFitsCertificate(absl::string_view certificate_pem, absl::string_view key_pem) {
  SKERRY_ASSIGN_OR_RETURN(X509Ptr certificate, ReadCertificate(certificate_pem));
  SKERRY_ASSIGN_OR_RETURN(KeyPtr key, ReadPrivateKey(key_pem));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    ERR_clear_error();
    return Error(absl::StatusCode::kInvalidArgument,
                 "the private key is not that of the certificate")
        .Reason("KEY_MISMATCH");
  }
  return absl::OkStatus();
}

absl::Status VerifyChain(absl::string_view certificate_pem, absl::string_view ca_pem,
                         absl::Time now) {
  using StackPtr = std::unique_ptr<STACK_OF(X509), OpensslDeleter<FreeStack>>;
  SKERRY_ASSIGN_OR_RETURN(X509Ptr certificate, ReadCertificate(certificate_pem));
  SKERRY_RETURN_IF_ERROR(ReadCertificate(ca_pem).status());
  StackPtr untrusted(sk_X509_new_null());
  StackPtr roots(sk_X509_new_null());
  X509StorePtr store(X509_STORE_new());
  X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (untrusted == nullptr || roots == nullptr || store == nullptr || context == nullptr) {
    return OpensslFailure("verify certificate");
  }
  ReadFurther(certificate_pem, 1, untrusted.get());
  ReadFurther(ca_pem, 0, roots.get());
  for (int i = 0; i < sk_X509_num(roots.get()); ++i) {
    X509_STORE_add_cert(store.get(), sk_X509_value(roots.get(), i));
  }
  if (X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), untrusted.get()) != 1) {
    return OpensslFailure("verify certificate");
  }
  X509_STORE_CTX_set_time(context.get(), 0, absl::ToTimeT(now));
  if (X509_verify_cert(context.get()) == 1) return absl::OkStatus();
  int code = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  return ChainError(code);
}

std::string Sha256Hex(absl::string_view bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), sizeof(digest)));
}

}  // namespace skerry::security
