#include "services/lib/security/ca.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/openssl_util.h"
#include "services/lib/security/x509.h"

namespace skerry::security {

struct CertificateAuthority::Material {
  X509Ptr certificate;
  KeyPtr key;
};

namespace {

constexpr absl::Duration kCaLifetime = absl::Hours(24 * 3650);
constexpr absl::Duration kBackdate = absl::Hours(1);
constexpr int kSerialBits =
    127;  // RFC 5280 allows 20 octets; random, so that none can be foretold.

bool SetSerial(X509* certificate) {
  BIGNUM* number = BN_new();
  bool good = number != nullptr &&
              BN_rand(number, kSerialBits, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
              BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  return good;
}

// For peers whose clocks are behind; little against the life, of which two thirds are counted.
absl::Duration BackdateOf(absl::Duration lifetime) { return std::min(kBackdate, lifetime / 10); }

bool SetValidity(X509* certificate, absl::Time from, absl::Time to) {
  return ASN1_TIME_adj(X509_getm_notBefore(certificate), absl::ToTimeT(from), 0, 0) != nullptr &&
         ASN1_TIME_adj(X509_getm_notAfter(certificate), absl::ToTimeT(to), 0, 0) != nullptr;
}

bool SetSubject(X509* certificate, const CertificateSubject& subject) {
  X509_NAME* name = X509_get_subject_name(certificate);
  auto add = [name](const char* field, const std::string& value) {
    return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  for (const std::string& organization : subject.organizations) {
    if (!add("O", organization)) return false;
  }
  return add("CN", subject.common_name);
}

// Extensions written by this file alone, as OpenSSL's configuration text.
bool AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

// Names are given as values, not as configuration text, in which a comma would start a further
// name.
absl::Status AddAlternativeNames(X509* certificate, const CertificateSpec& spec) {
  if (spec.dns_names.empty() && spec.ip_addresses.empty()) return absl::OkStatus();
  GeneralNamesPtr names(GENERAL_NAMES_new());
  auto add = [&names](int type, ASN1_STRING* value) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    if (name == nullptr || value == nullptr) return false;
    GENERAL_NAME_set0_value(name, type, value);
    return sk_GENERAL_NAME_push(names.get(), name) > 0;
  };
  for (const std::string& dns : spec.dns_names) {
    ASN1_IA5STRING* value = ASN1_IA5STRING_new();
    if (value != nullptr) ASN1_STRING_set(value, dns.data(), static_cast<int>(dns.size()));
    if (!add(GEN_DNS, value)) return OpensslFailure("add DNS name");
  }
  for (const std::string& ip : spec.ip_addresses) {
    ASN1_OCTET_STRING* value = a2i_IPADDRESS(ip.c_str());
    if (value == nullptr) {
      ERR_clear_error();
      return InvalidField("ip_addresses", ip, "give an IPv4 or IPv6 address");
    }
    if (!add(GEN_IPADD, value)) return OpensslFailure("add address");
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) !=
      1) {
    return OpensslFailure("add alternative names");
  }
  return absl::OkStatus();
}

std::string ExtendedUsages(const CertificateSpec& spec) {
  std::vector<std::string> usages;
  if (spec.for_server) usages.push_back("serverAuth");
  if (spec.for_client) usages.push_back("clientAuth");
  return absl::StrJoin(usages, ",");
}

absl::Status Fill(X509* certificate, X509* issuer, EVP_PKEY* key, const CertificateSpec& spec) {
  absl::Time end = std::min(spec.now + spec.lifetime, ToTime(X509_get0_notAfter(issuer)));
  if (X509_set_version(certificate, 2) != 1 || !SetSerial(certificate) ||
      !SetValidity(certificate, spec.now - BackdateOf(spec.lifetime), end) ||
      X509_set_pubkey(certificate, key) != 1 ||
      X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) != 1) {
    return OpensslFailure("make certificate");
  }
  if (!SetSubject(certificate, spec.subject)) {
    return InvalidField("subject", spec.subject.common_name,
                        absl::StrCat("can't be written: ", OpensslReason()));
  }
  if (!AddExtension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE") ||
      !AddExtension(certificate, issuer, NID_key_usage,
                    "critical,digitalSignature,keyEncipherment") ||
      !AddExtension(certificate, issuer, NID_ext_key_usage, ExtendedUsages(spec)) ||
      !AddExtension(certificate, issuer, NID_subject_key_identifier, "hash") ||
      !AddExtension(certificate, issuer, NID_authority_key_identifier, "keyid:always")) {
    return OpensslFailure("make certificate");
  }
  return AddAlternativeNames(certificate, spec);
}

absl::StatusOr<std::string> SignFor(X509* issuer, EVP_PKEY* issuer_key, EVP_PKEY* key,
                                    const CertificateSpec& spec) {
  if (!spec.for_server && !spec.for_client)
    return absl::InternalError("a certificate needs a usage");
  X509Ptr certificate(X509_new());
  if (certificate == nullptr) return OpensslFailure("make certificate");
  SKERRY_RETURN_IF_ERROR(Fill(certificate.get(), issuer, key, spec));
  if (X509_sign(certificate.get(), issuer_key, EVP_sha256()) <= 0)
    return OpensslFailure("sign certificate");
  return CertificatePem(certificate.get());
}

}  // namespace

CertificateAuthority::CertificateAuthority(std::unique_ptr<Material> material,
                                           std::string certificate_pem, std::string hash)
    : material_(std::move(material)),
      certificate_pem_(std::move(certificate_pem)),
      hash_(std::move(hash)) {}

CertificateAuthority::~CertificateAuthority() = default;

absl::Time CertificateAuthority::end() const {
  return ToTime(X509_get0_notAfter(material_->certificate.get()));
}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Create(
    absl::string_view common_name, absl::Time now) {
  SKERRY_ASSIGN_OR_RETURN(KeyPtr key, MakeP256Key());
  X509Ptr certificate(X509_new());
  CertificateSubject subject = {.common_name = std::string(common_name)};
  if (certificate == nullptr || X509_set_version(certificate.get(), 2) != 1 ||
      !SetSerial(certificate.get()) ||
      !SetValidity(certificate.get(), now - BackdateOf(kCaLifetime), now + kCaLifetime) ||
      X509_set_pubkey(certificate.get(), key.get()) != 1 ||
      !SetSubject(certificate.get(), subject) ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) != 1 ||
      !AddExtension(certificate.get(), certificate.get(), NID_basic_constraints,
                    "critical,CA:TRUE,pathlen:0") ||
      !AddExtension(certificate.get(), certificate.get(), NID_key_usage,
                    "critical,keyCertSign,cRLSign") ||
      !AddExtension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) <= 0) {
    return OpensslFailure("make CA certificate");
  }
  SKERRY_ASSIGN_OR_RETURN(std::string certificate_pem, CertificatePem(certificate.get()));
  SKERRY_ASSIGN_OR_RETURN(std::string key_pem, PrivateKeyPem(key.get()));
  return Load(certificate_pem, key_pem);
}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::Load(
    absl::string_view certificate_pem, absl::string_view key_pem) {
  SKERRY_RETURN_IF_ERROR(CheckKeyFitsCertificate(certificate_pem, key_pem));
  auto material = std::make_unique<Material>();
  SKERRY_ASSIGN_OR_RETURN(material->certificate, ReadCertificate(certificate_pem));
  SKERRY_ASSIGN_OR_RETURN(material->key, ReadPrivateKey(key_pem));
  if (X509_check_ca(material->certificate.get()) != 1) {
    return Error(absl::StatusCode::kInvalidArgument, "the certificate is not that of a CA")
        .Reason("NOT_A_CA");
  }
  SKERRY_ASSIGN_OR_RETURN(std::string der, CertificateDer(material->certificate.get()));
  SKERRY_ASSIGN_OR_RETURN(std::string pem, CertificatePem(material->certificate.get()));
  return std::unique_ptr<CertificateAuthority>(
      new CertificateAuthority(std::move(material), std::move(pem), Sha256Hex(der)));
}

absl::StatusOr<std::unique_ptr<CertificateAuthority>> CertificateAuthority::LoadOrCreate(
    const std::string& folder, absl::string_view common_name, absl::Time now) {
  std::string certificate_path = absl::StrCat(folder, "/ca.crt");
  std::string key_path = absl::StrCat(folder, "/ca.key");
  absl::StatusOr<std::string> certificate_pem = ReadSmallFile(certificate_path);
  absl::StatusOr<std::string> key_pem = ReadSmallFile(key_path);
  if (certificate_pem.ok() && key_pem.ok()) {
    absl::StatusOr<std::unique_ptr<CertificateAuthority>> loaded = Load(*certificate_pem, *key_pem);
    if (!loaded.ok()) return Annotate(loaded.status(), absl::StrCat("CA in '", folder, "'"));
    return loaded;
  }
  if (!absl::IsNotFound(certificate_pem.status()) || !absl::IsNotFound(key_pem.status())) {
    absl::Status bad = certificate_pem.ok() ? key_pem.status() : certificate_pem.status();
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("the CA in '", folder, "' is incomplete: ", bad.message(),
                              "; put the file back, or remove both to make a new CA (every node "
                              "must then join again)"))
        .Reason("CA_INCOMPLETE")
        .Meta("folder", folder);
  }
  SKERRY_RETURN_IF_ERROR(MakeFolder(folder, 0700));
  SKERRY_ASSIGN_OR_RETURN(std::unique_ptr<CertificateAuthority> made, Create(common_name, now));
  SKERRY_ASSIGN_OR_RETURN(std::string made_key, PrivateKeyPem(made->material_->key.get()));
  SKERRY_RETURN_IF_ERROR(WriteFileAtomically(key_path, made_key, 0600));
  SKERRY_RETURN_IF_ERROR(WriteFileAtomically(certificate_path, made->certificate_pem(), 0644));
  return made;
}

absl::StatusOr<std::string> CertificateAuthority::SignCsr(absl::string_view csr_pem,
                                                          const CertificateSpec& spec) const {
  SKERRY_RETURN_IF_ERROR(ParseCsr(csr_pem).status());
  SKERRY_ASSIGN_OR_RETURN(X509ReqPtr request, ReadRequest(csr_pem));
  return SignFor(material_->certificate.get(), material_->key.get(),
                 X509_REQ_get0_pubkey(request.get()), spec);
}

absl::StatusOr<CertificateAndKey> CertificateAuthority::Issue(const CertificateSpec& spec) const {
  SKERRY_ASSIGN_OR_RETURN(KeyPtr key, MakeP256Key());
  CertificateAndKey made;
  SKERRY_ASSIGN_OR_RETURN(made.certificate_pem, SignFor(material_->certificate.get(),
                                                        material_->key.get(), key.get(), spec));
  SKERRY_ASSIGN_OR_RETURN(made.key_pem, PrivateKeyPem(key.get()));
  return made;
}

}  // namespace skerry::security
