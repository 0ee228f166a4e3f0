#include "services/lib/security/jwt.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/openssl_util.h"

namespace skerry::security {
namespace {

using DigestPtr = std::unique_ptr<EVP_MD_CTX, OpensslDeleter<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, OpensslDeleter<ECDSA_SIG_free>>;
using NumberPtr = std::unique_ptr<BIGNUM, OpensslDeleter<BN_free>>;

// The only header that is written or taken: what another one asks for (another algorithm, none, a
// key from elsewhere) is never looked at.
constexpr char kHeader[] = R"({"alg":"ES256","typ":"JWT"})";
constexpr int kNumberBytes = 32;

const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// RFC 7518, 3.4: the two numbers one after the other, not DER.
absl::StatusOr<std::string> RawSignature(absl::string_view der) {
  const unsigned char* at = Bytes(der);
  const SignaturePtr signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));  // NOLINT
  if (signature == nullptr) return OpensslFailure("read signature");
  std::string raw(2 * kNumberBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(raw.data());
  if (BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out, kNumberBytes) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), out + kNumberBytes, kNumberBytes) < 0) {
    return OpensslFailure("write signature");
  }
  return raw;
}

absl::StatusOr<std::string> DerSignature(absl::string_view raw) {
  const SignaturePtr signature(ECDSA_SIG_new());
  NumberPtr r(BN_bin2bn(Bytes(raw), kNumberBytes, nullptr));
  NumberPtr s(BN_bin2bn(Bytes(raw) + kNumberBytes, kNumberBytes, nullptr));
  if (signature == nullptr || r == nullptr || s == nullptr ||
      ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
    return OpensslFailure("make signature");
  }
  r.release();  // The signature's by now.
  s.release();
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature.get(), &der);
  if (size < 0) return OpensslFailure("write signature");
  std::string text(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  return text;
}

absl::Status NotOurs() { return absl::UnauthenticatedError("the token is not one of this server"); }

}  // namespace

struct JwtKey::Material {
  KeyPtr key;
};

JwtKey::JwtKey(std::unique_ptr<Material> material) : material_(std::move(material)) {}
JwtKey::~JwtKey() = default;

absl::StatusOr<std::unique_ptr<JwtKey>> JwtKey::LoadOrCreate(const std::string& path) {
  auto material = std::make_unique<Material>();
  if (access(path.c_str(), F_OK) != 0) {
    SKERRY_ASSIGN_OR_RETURN(material->key, MakeP256Key());
    SKERRY_ASSIGN_OR_RETURN(const std::string pem, PrivateKeyPem(material->key.get()));
    SKERRY_RETURN_IF_ERROR(WriteFileAtomically(path, pem, 0600));
  } else {
    SKERRY_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile(path));
    absl::StatusOr<KeyPtr> key = ReadPrivateKey(pem);
    if (!key.ok()) return Annotate(key.status(), path);
    char group[16] = {};
    size_t size = 0;
    if (EVP_PKEY_get_group_name(key->get(), group, sizeof group, &size) != 1 ||
        absl::string_view(group) != "prime256v1") {
      return InvalidField("key file", path,
                          "it must hold a P-256 key (openssl ecparam -genkey "
                          "-name prime256v1)");
    }
    material->key = *std::move(key);
  }
  return std::unique_ptr<JwtKey>(new JwtKey(std::move(material)));
}

absl::StatusOr<std::string> JwtKey::Sign(absl::string_view payload) const {
  const std::string text =
      absl::StrCat(absl::WebSafeBase64Escape(kHeader), ".", absl::WebSafeBase64Escape(payload));
  const DigestPtr digest(EVP_MD_CTX_new());
  size_t size = 0;
  if (digest == nullptr ||
      EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, material_->key.get()) != 1 ||
      EVP_DigestSign(digest.get(), nullptr, &size, Bytes(text), text.size()) != 1) {
    return OpensslFailure("sign");
  }
  std::string der(size, '\0');
  if (EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(der.data()), &size, Bytes(text),
                     text.size()) != 1) {
    return OpensslFailure("sign");
  }
  der.resize(size);
  SKERRY_ASSIGN_OR_RETURN(const std::string raw, RawSignature(der));
  return absl::StrCat(text, ".", absl::WebSafeBase64Escape(raw));
}

absl::StatusOr<std::string> JwtKey::Verify(absl::string_view token) const {
  if (token.size() > kJwtBytesMax) return NotOurs();
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  std::string raw;
  std::string payload;
  if (parts.size() != 3 || parts[0] != absl::WebSafeBase64Escape(kHeader) ||
      !absl::WebSafeBase64Unescape(parts[1], &payload) ||
      !absl::WebSafeBase64Unescape(parts[2], &raw) || raw.size() != 2 * kNumberBytes) {
    return NotOurs();
  }
  SKERRY_ASSIGN_OR_RETURN(const std::string der, DerSignature(raw));
  const absl::string_view text = token.substr(0, parts[0].size() + 1 + parts[1].size());
  const DigestPtr digest(EVP_MD_CTX_new());
  if (digest == nullptr || EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr,
                                                material_->key.get()) != 1) {
    return OpensslFailure("verify");
  }
  if (EVP_DigestVerify(digest.get(), Bytes(der), der.size(), Bytes(text), text.size()) != 1) {
    OpensslReason();  // Empties its queue.
    return NotOurs();
  }
  return payload;
}

}  // namespace skerry::security
