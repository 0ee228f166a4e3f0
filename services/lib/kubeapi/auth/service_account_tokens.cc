#include "services/lib/kubeapi/auth/service_account_tokens.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {
namespace {

constexpr char kClaims[] = "kubernetes.io";

std::string Subject(const std::string& ns, const std::string& name) {
  return absl::StrCat("system:serviceaccount:", ns, ":", name);
}

absl::Status Refused(absl::string_view why) { return absl::UnauthenticatedError(why); }

std::vector<std::string> OrApi(std::vector<std::string> audiences) {
  if (audiences.empty()) audiences.emplace_back(kApiAudience);
  return audiences;
}

}  // namespace

ServiceAccountTokens::ServiceAccountTokens(std::unique_ptr<security::JwtKey> key, FindUid find_uid,
                                           Clock& clock)
    : key_(std::move(key)), find_uid_(std::move(find_uid)), clock_(clock) {}

absl::StatusOr<IssuedToken> ServiceAccountTokens::Issue(const TokenOrder& order) {
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const int64_t expires = now + absl::ToInt64Seconds(order.lifetime);
  IssuedToken issued{"", OrApi(order.audiences), absl::FromUnixSeconds(expires)};
  const Json payload = {
      {"aud", issued.audiences},
      {"exp", expires},
      {"iat", now},
      {"iss", kApiAudience},
      {kClaims,
       {{"namespace", order.ns}, {"serviceaccount", {{"name", order.name}, {"uid", order.uid}}}}},
      {"nbf", now},
      {"sub", Subject(order.ns, order.name)}};
  SKERRY_ASSIGN_OR_RETURN(issued.token, key_->Sign(DumpJson(payload)));
  return issued;
}

absl::StatusOr<TokenOwner> ServiceAccountTokens::Find(absl::string_view token,
                                                      const std::vector<std::string>& audiences) {
  SKERRY_ASSIGN_OR_RETURN(const std::string payload, key_->Verify(token));
  SKERRY_ASSIGN_OR_RETURN(const Json claims, ParseJson(payload));
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  if (StringAt(claims, {"iss"}) != kApiAudience) return Refused("the token is of another issuer");
  if (now >= IntAt(claims, {"exp"})) return Refused("the token has expired");
  if (now < IntAt(claims, {"nbf"})) return Refused("the token is not valid yet");
  TokenOwner owner;
  for (const std::string& audience : OrApi(audiences)) {
    const Json& all = ArrayAt(claims, {"aud"});
    if (std::find(all.begin(), all.end(), Json(audience)) != all.end())
      owner.audiences.push_back(audience);
  }
  if (owner.audiences.empty()) return Refused("the token is for other audiences");
  const std::string ns = StringAt(claims, {kClaims, "namespace"});
  const std::string name = StringAt(claims, {kClaims, "serviceaccount", "name"});
  const absl::StatusOr<std::string> uid = find_uid_(ns, name);
  if (absl::IsNotFound(uid.status())) return Refused("its ServiceAccount is gone");
  if (!uid.ok()) return uid.status();
  if (*uid != StringAt(claims, {kClaims, "serviceaccount", "uid"}))
    return Refused("its ServiceAccount is gone; there is another one of the name");
  owner.caller = {.name = Subject(ns, name),
                  .groups = {"system:serviceaccounts", absl::StrCat("system:serviceaccounts:", ns),
                             "system:authenticated"}};
  return owner;
}

}  // namespace skerry::kubeapi
