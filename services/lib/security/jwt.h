// Signed statements of ours to ourselves: JSON Web Tokens (RFC 7519) with ES256, no other
// algorithm.
#ifndef SKERRY_SERVICES_LIB_SECURITY_JWT_H_
#define SKERRY_SERVICES_LIB_SECURITY_JWT_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::security {

inline constexpr size_t kJwtBytesMax = 16u << 10;

// One P-256 key. Immutable; any thread may call it.
class JwtKey {
 public:
  // A PEM file; created with mode 0600 where it is missing. INVALID_ARGUMENT names the file that
  // has no P-256 key.
  static absl::StatusOr<std::unique_ptr<JwtKey>> LoadOrCreate(const std::string& path);
  ~JwtKey();

  // `payload` is JSON.
  absl::StatusOr<std::string> Sign(absl::string_view payload) const;
  // The payload, if this key signed it. UNAUTHENTICATED otherwise. What it says about times and
  // audiences is the caller's to look at.
  absl::StatusOr<std::string> Verify(absl::string_view token) const;

 private:
  struct Material;
  explicit JwtKey(std::unique_ptr<Material> material);
  const std::unique_ptr<Material> material_;
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_JWT_H_
