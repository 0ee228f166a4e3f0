#include "services/lib/auth/token_review.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::auth {
namespace {

constexpr size_t kErrorBytesMax = 256;
constexpr size_t kNameBytesMax = 1024;

std::vector<std::string> StringsOf(const nlohmann::json& list) {
  std::vector<std::string> strings;
  for (const nlohmann::json& item : list) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

}  // namespace

std::string TokenReviewBody(absl::string_view token, absl::string_view audience) {
  nlohmann::json spec = {{"token", std::string(token)}};
  if (!audience.empty()) spec["audiences"] = {std::string(audience)};
  return kubeapi::DumpJson({{"apiVersion", "authentication.k8s.io/v1"},
                            {"kind", "TokenReview"},
                            {"spec", std::move(spec)}});
}

absl::StatusOr<TokenUser> ReadTokenReview(absl::string_view answer, absl::string_view audience) {
  const absl::StatusOr<nlohmann::json> review = kubeapi::ParseJson(answer);
  if (!review.ok() || kubeapi::StringAt(*review, {"kind"}) != "TokenReview")
    return absl::InternalError("the API server's answer is no TokenReview");
  const nlohmann::json& status = kubeapi::ObjectAt(*review, {"status"});
  if (!kubeapi::BoolAt(status, {"authenticated"})) {
    std::string why = kubeapi::StringAt(status, {"error"}).substr(0, kErrorBytesMax);
    return Error(absl::StatusCode::kUnauthenticated,
                 absl::StrCat("the API server does not accept the token", why.empty() ? "" : ": ",
                              why))
        .Reason("TOKEN_INVALID");
  }
  if (!audience.empty()) {
    const std::vector<std::string> audiences = StringsOf(kubeapi::ArrayAt(status, {"audiences"}));
    if (std::find(audiences.begin(), audiences.end(), audience) == audiences.end()) {
      return Error(absl::StatusCode::kUnauthenticated,
                   absl::StrCat("the API server does not say that the token is for audience '",
                                audience, "' (auth.bearer.audience)"))
          .Reason("TOKEN_AUDIENCE")
          .Meta("audience", audience);
    }
  }
  TokenUser user{kubeapi::StringAt(status, {"user", "username"}),
                 StringsOf(kubeapi::ArrayAt(status, {"user", "groups"}))};
  if (user.name.empty() || user.name.size() > kNameBytesMax) {
    return absl::InternalError(absl::StrCat("the API server's TokenReview has a user name of ",
                                            user.name.size(), " bytes"));
  }
  return user;
}

}  // namespace skerry::auth
