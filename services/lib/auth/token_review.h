// TokenReview of authentication.k8s.io/v1 as text.
#ifndef SKERRY_SERVICES_LIB_AUTH_TOKEN_REVIEW_H_
#define SKERRY_SERVICES_LIB_AUTH_TOKEN_REVIEW_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::auth {

inline constexpr char kTokenReviewPath[] = "/apis/authentication.k8s.io/v1/tokenreviews";

struct TokenUser {
  std::string name;
  std::vector<std::string> groups;
};

// `audience`: whom the token must be for; empty: the API server itself.
std::string TokenReviewBody(absl::string_view token, absl::string_view audience);

// From the API server's answer. UNAUTHENTICATED / TOKEN_INVALID with what the server said, or
// TOKEN_AUDIENCE: a server that did not look at the audience has not said that the token is for us.
// INTERNAL: no answer that a TokenReview has.
absl::StatusOr<TokenUser> ReadTokenReview(absl::string_view answer, absl::string_view audience);

}  // namespace skerry::auth

#endif  // SKERRY_SERVICES_LIB_AUTH_TOKEN_REVIEW_H_
