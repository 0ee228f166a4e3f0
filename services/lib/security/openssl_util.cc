#include "services/lib/security/openssl_util.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::security {
namespace {

// Keys here have no passphrase; without this OpenSSL would ask for one on the terminal.
int NoPassphrase(char*, int, int, void*) { return 0; }

}  // namespace

std::string OpensslReason() {
  unsigned long code = ERR_peek_last_error();  // NOLINT: OpenSSL's type
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown" : reason;
}

absl::Status OpensslFailure(absl::string_view what) {
  return Error(absl::StatusCode::kInternal, absl::StrCat(what, ": ", OpensslReason()))
      .Reason("OPENSSL_FAILURE");
}

BioPtr MemoryBio(absl::string_view bytes) {
  return BioPtr(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

std::string BioText(BIO* bio) {
  char* data = nullptr;
  long size = BIO_get_mem_data(bio, &data);  // NOLINT: OpenSSL's type
  return std::string(data, static_cast<size_t>(size));
}

absl::StatusOr<X509Ptr> ReadCertificate(absl::string_view pem) {
  BioPtr bio = MemoryBio(pem);
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, NoPassphrase, nullptr));
  if (certificate == nullptr) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("not a certificate in PEM form (", OpensslReason(), ")"))
        .Reason("CERTIFICATE_INVALID");
  }
  return certificate;
}

absl::StatusOr<X509ReqPtr> ReadRequest(absl::string_view pem) {
  BioPtr bio = MemoryBio(pem);
  X509ReqPtr request(PEM_read_bio_X509_REQ(bio.get(), nullptr, NoPassphrase, nullptr));
  if (request == nullptr) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("not a certificate signing request in PEM form (", OpensslReason(),
                              ")"))
        .Reason("CSR_INVALID");
  }
  return request;
}

absl::StatusOr<KeyPtr> ReadPrivateKey(absl::string_view pem) {
  BioPtr bio = MemoryBio(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("not an unencrypted private key in PEM form (", OpensslReason(), ")"))
        .Reason("KEY_INVALID");
  }
  return key;
}

absl::StatusOr<std::string> CertificatePem(const X509* certificate) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), const_cast<X509*>(certificate)) != 1) {
    return OpensslFailure("write certificate");
  }
  return BioText(bio.get());
}

absl::StatusOr<std::string> CertificateDer(const X509* certificate) {
  unsigned char* der = nullptr;
  int size = i2d_X509(const_cast<X509*>(certificate), &der);
  if (size < 0) return OpensslFailure("write certificate");
  std::string bytes(reinterpret_cast<char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

absl::StatusOr<std::string> PrivateKeyPem(EVP_PKEY* key) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr ||
      PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return OpensslFailure("write key");
  }
  return BioText(bio.get());
}

absl::StatusOr<std::string> PublicKeyDer(const EVP_PKEY* key) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  if (key == nullptr || bio == nullptr || i2d_PUBKEY_bio(bio.get(), key) != 1) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("no usable public key (", OpensslReason(), ")"))
        .Reason("KEY_INVALID");
  }
  return BioText(bio.get());
}

absl::StatusOr<KeyPtr> MakeP256Key() {
  KeyPtr key(EVP_EC_gen("P-256"));
  if (key == nullptr) return OpensslFailure("generate key");
  return key;
}

std::vector<std::string> NameValues(const X509_NAME* name, int nid) {
  std::vector<std::string> values;
  for (int i = X509_NAME_get_index_by_NID(name, nid, -1); i >= 0;
       i = X509_NAME_get_index_by_NID(name, nid, i)) {
    unsigned char* text = nullptr;
    int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
    if (size < 0) continue;
    values.emplace_back(reinterpret_cast<char*>(text), static_cast<size_t>(size));
    OPENSSL_free(text);
  }
  return values;
}

absl::Time ToTime(const ASN1_TIME* time) {
  struct tm parts = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTimeT(timegm(&parts));
}

}  // namespace skerry::security
