#include "services/lib/security/csr.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/openssl_util.h"

namespace skerry::security {
namespace {

constexpr size_t kCsrBytesMax = 16 << 10;

Error CsrInvalid(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("certificate signing request: ", why))
      .Reason("CSR_INVALID");
}

absl::Status CheckKey(EVP_PKEY* key) {
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
    int bits = EVP_PKEY_get_bits(key);
    if (bits >= 2048 && bits <= 4096) return absl::OkStatus();
    return CsrInvalid(absl::StrCat("an RSA key of ", bits, " bits; 2048 to 4096 are accepted"));
  }
  char group[64] = {};
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
      EVP_PKEY_get_utf8_string_param(key, "group", group, sizeof(group), nullptr) == 1) {
    absl::string_view name = group;
    if (name == "prime256v1" || name == "secp384r1") return absl::OkStatus();
  }
  ERR_clear_error();
  return CsrInvalid("the key is neither P-256, P-384 nor RSA");
}

bool AddName(X509_NAME* name, const char* field, absl::string_view value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

absl::StatusOr<std::string> SignedRequest(EVP_PKEY* key, const CertificateSubject& subject) {
  X509ReqPtr request(X509_REQ_new());
  if (request == nullptr) return OpensslFailure("make request");
  X509_NAME* name = X509_REQ_get_subject_name(request.get());
  for (const std::string& organization : subject.organizations) {
    if (!AddName(name, "O", organization))
      return CsrInvalid(absl::StrCat("organization: ", OpensslReason()));
  }
  if (!AddName(name, "CN", subject.common_name))
    return CsrInvalid(absl::StrCat("common name: ", OpensslReason()));
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || X509_REQ_set_version(request.get(), 0) != 1 ||
      X509_REQ_set_pubkey(request.get(), key) != 1 ||
      X509_REQ_sign(request.get(), key, EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(bio.get(), request.get()) != 1) {
    return OpensslFailure("make request");
  }
  return BioText(bio.get());
}

}  // namespace

absl::StatusOr<KeyAndCsr> MakeKeyAndCsr(const CertificateSubject& subject) {
  SKERRY_ASSIGN_OR_RETURN(KeyPtr key, MakeP256Key());
  KeyAndCsr made;
  SKERRY_ASSIGN_OR_RETURN(made.csr_pem, SignedRequest(key.get(), subject));
  SKERRY_ASSIGN_OR_RETURN(made.key_pem, PrivateKeyPem(key.get()));
  return made;
}

absl::StatusOr<std::string> MakeCsr(absl::string_view key_pem, const CertificateSubject& subject) {
  SKERRY_ASSIGN_OR_RETURN(KeyPtr key, ReadPrivateKey(key_pem));
  return SignedRequest(key.get(), subject);
}

absl::StatusOr<CertificateSubject> ParseCsr(absl::string_view csr_pem) {
  if (csr_pem.size() > kCsrBytesMax) return CsrInvalid("larger than 16 KiB");
  SKERRY_ASSIGN_OR_RETURN(X509ReqPtr request, ReadRequest(csr_pem));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr)
    return CsrInvalid(absl::StrCat("no usable public key (", OpensslReason(), ")"));
  SKERRY_RETURN_IF_ERROR(CheckKey(key));
  if (X509_REQ_verify(request.get(), key) != 1) {
    ERR_clear_error();
    return CsrInvalid("its signature does not fit its key");
  }
  CertificateSubject subject;
  const X509_NAME* name = X509_REQ_get_subject_name(request.get());
  std::vector<std::string> common_names = NameValues(name, NID_commonName);
  if (common_names.size() != 1) return CsrInvalid("it needs exactly one common name (CN)");
  subject.common_name = std::move(common_names[0]);
  subject.organizations = NameValues(name, NID_organizationName);
  return subject;
}

absl::StatusOr<std::string> CsrPublicKeyDer(absl::string_view csr_pem) {
  if (csr_pem.size() > kCsrBytesMax) return CsrInvalid("larger than 16 KiB");
  SKERRY_ASSIGN_OR_RETURN(X509ReqPtr request, ReadRequest(csr_pem));
  absl::StatusOr<std::string> key = PublicKeyDer(X509_REQ_get0_pubkey(request.get()));
  if (!key.ok()) return CsrInvalid(key.status().message());
  return key;
}

}  // namespace skerry::security
