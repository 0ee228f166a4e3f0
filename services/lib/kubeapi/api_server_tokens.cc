// Tokens over the API: serviceaccounts/token (kubectl create token) and TokenReview.
#include <nlohmann/json.hpp>
#include <utility>

#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_server.h"
#include "services/lib/kubeapi/api_server_call.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {
namespace {

constexpr int64_t kDefaultSeconds = 3600;
constexpr int64_t kSecondsMin = 600;
constexpr int64_t kSecondsMax = int64_t{1} << 32;
constexpr size_t kAudiencesMax = 16;
constexpr size_t kAudienceBytesMax = 512;

http::Response Created(const Json& body) {
  return {201,
          {{"Content-Type", "application/json"}, {"Cache-Control", "no-cache, private"}},
          DumpJson(body)};
}

// Of spec.audiences; what is wrong with them goes to `errors`.
std::vector<std::string> ReadAudiences(const Json& body, std::vector<FieldError>& errors) {
  std::vector<std::string> audiences;
  const Json* list = FindPath(body, {"spec", "audiences"});
  if (list == nullptr || list->is_null()) return audiences;
  if (!list->is_array() || list->size() > kAudiencesMax) {
    errors.push_back(FieldInvalid("spec.audiences", "", "must be a list of at most 16 names"));
    return audiences;
  }
  for (const Json& audience : *list) {
    if (!audience.is_string() || audience.get_ref<const std::string&>().empty() ||
        audience.get_ref<const std::string&>().size() > kAudienceBytesMax) {
      errors.push_back(
          FieldInvalid("spec.audiences", "", "each must be a text of 1 to 512 characters"));
      return audiences;
    }
    audiences.push_back(audience.get<std::string>());
  }
  return audiences;
}

int64_t ReadSeconds(const Json& body, std::vector<FieldError>& errors) {
  const Json* given = FindPath(body, {"spec", "expirationSeconds"});
  if (given == nullptr || given->is_null()) return kDefaultSeconds;
  const int64_t seconds = IntAt(body, {"spec", "expirationSeconds"});
  if (seconds < kSecondsMin) {
    errors.push_back(FieldInvalid("spec.expirationSeconds", *given,
                                  "may not specify a duration less than 10 minutes"));
  } else if (seconds > kSecondsMax) {
    errors.push_back(FieldInvalid("spec.expirationSeconds", *given,
                                  "may not specify a duration larger than 2^32 seconds"));
  }
  return seconds;
}

}  // namespace

absl::StatusOr<http::Response> ApiServer::CreateToken(Call& call, const Json& body) {
  if (deps_.tokens == nullptr)
    return ApiError(501, "NotImplemented", "this server issues no tokens");
  const RequestInfo& info = call.info;
  SKERRY_ASSIGN_OR_RETURN(const Json account,
                          deps_.objects.Get(*call.resource, info.ns, info.name));
  std::vector<FieldError> errors;
  TokenOrder order{.ns = info.ns,
                   .name = info.name,
                   .uid = StringAt(account, {"metadata", "uid"}),
                   .audiences = ReadAudiences(body, errors)};
  order.lifetime = absl::Seconds(ReadSeconds(body, errors));
  const Json* bound = FindPath(body, {"spec", "boundObjectRef"});
  if (bound != nullptr && !bound->is_null()) {
    errors.push_back(FieldForbidden("spec.boundObjectRef",
                                    "this server binds tokens to their ServiceAccount only"));
  }
  const Subject about{"authentication.k8s.io", "tokenrequests", "TokenRequest", info.name};
  if (!errors.empty()) return InvalidError(about, errors);
  SKERRY_ASSIGN_OR_RETURN(const IssuedToken issued, deps_.tokens->Issue(order));
  const std::string now =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", deps_.clock.Now(), absl::UTCTimeZone());
  return Created(
      {{"kind", "TokenRequest"},
       {"apiVersion", "authentication.k8s.io/v1"},
       {"metadata", {{"name", info.name}, {"namespace", info.ns}, {"creationTimestamp", now}}},
       {"spec",
        {{"audiences", issued.audiences},
         {"expirationSeconds", absl::ToInt64Seconds(order.lifetime)},
         {"boundObjectRef", nullptr}}},
       {"status",
        {{"token", issued.token},
         {"expirationTimestamp",
          absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", issued.expires, absl::UTCTimeZone())}}}});
}

absl::StatusOr<http::Response> ApiServer::ReviewToken(Call& call, const Json& body) {
  std::vector<FieldError> errors;
  const std::vector<std::string> audiences = ReadAudiences(body, errors);
  const std::string token = StringAt(body, {"spec", "token"});
  if (token.empty()) errors.push_back(FieldRequired("spec.token"));
  if (!errors.empty()) return InvalidError(call.resource->About(""), errors);
  Json answer = {{"kind", "TokenReview"},
                 {"apiVersion", call.resource->ApiVersion()},
                 {"metadata", {{"creationTimestamp", nullptr}}},
                 // The token is not told again.
                 {"spec", {{"audiences", audiences}}}};
  const absl::StatusOr<TokenOwner> owner = deps_.access.Review(token, audiences);
  if (owner.ok()) {
    answer["status"] = {
        {"authenticated", true},
        {"audiences", owner->audiences},
        {"user", {{"username", owner->caller.name}, {"groups", owner->caller.groups}}}};
  } else if (absl::IsUnauthenticated(owner.status())) {
    answer["status"] = {{"error", std::string(owner.status().message())}, {"user", Json::object()}};
  } else {
    return owner.status();
  }
  return Created(answer);
}

}  // namespace skerry::kubeapi
