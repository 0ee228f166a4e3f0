// OpenSSL's objects as owned values, and its error queue as a Status: the one place that maps it.
#ifndef SKERRY_SERVICES_LIB_SECURITY_OPENSSL_UTIL_H_
#define SKERRY_SERVICES_LIB_SECURITY_OPENSSL_UTIL_H_

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::security {

template <auto Free>
struct OpensslDeleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioPtr = std::unique_ptr<BIO, OpensslDeleter<BIO_free_all>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpensslDeleter<EVP_PKEY_free>>;
using X509Ptr = std::unique_ptr<X509, OpensslDeleter<X509_free>>;
using X509ReqPtr = std::unique_ptr<X509_REQ, OpensslDeleter<X509_REQ_free>>;
using X509StorePtr = std::unique_ptr<X509_STORE, OpensslDeleter<X509_STORE_free>>;
using X509StoreCtxPtr = std::unique_ptr<X509_STORE_CTX, OpensslDeleter<X509_STORE_CTX_free>>;
using X509ExtensionPtr = std::unique_ptr<X509_EXTENSION, OpensslDeleter<X509_EXTENSION_free>>;
using GeneralNamesPtr = std::unique_ptr<GENERAL_NAMES, OpensslDeleter<GENERAL_NAMES_free>>;

// What OpenSSL says of its last failure; empties its queue.
std::string OpensslReason();
// INTERNAL: an operation that only fails for want of memory or a bug.
absl::Status OpensslFailure(absl::string_view what);

BioPtr MemoryBio(absl::string_view bytes);  // Reads from `bytes`, which must outlive it.
std::string BioText(BIO* bio);

absl::StatusOr<X509Ptr> ReadCertificate(absl::string_view pem);
// INVALID_ARGUMENT / CSR_INVALID.
absl::StatusOr<X509ReqPtr> ReadRequest(absl::string_view pem);
absl::StatusOr<KeyPtr> ReadPrivateKey(absl::string_view pem);
absl::StatusOr<std::string> CertificatePem(const X509* certificate);
absl::StatusOr<std::string> CertificateDer(const X509* certificate);
absl::StatusOr<std::string> PrivateKeyPem(EVP_PKEY* key);
// DER of its SubjectPublicKeyInfo: the same bytes wherever the key is found.
absl::StatusOr<std::string> PublicKeyDer(const EVP_PKEY* key);
absl::StatusOr<KeyPtr> MakeP256Key();

// All values of one attribute of a name, as UTF-8.
std::vector<std::string> NameValues(const X509_NAME* name, int nid);
absl::Time ToTime(const ASN1_TIME* time);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_OPENSSL_UTIL_H_
