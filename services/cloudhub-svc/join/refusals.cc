#include "services/cloudhub-svc/join/refusals.h"

#include "services/lib/base/error.h"

namespace skerry::cloudhub {
namespace {

constexpr char kJoinAnew[] =
    "make a token for this node on the hub (skerryctl token create --node <name>), then join again "
    "on the box: skerryctl join --force";

constexpr Refusal kRefusals[] = {
    {"TOKEN_MISSING", 401,
     "send the token: to /v1/join as 'Authorization: Bearer <token>', to /v1/token as the body"},
    {"TOKEN_MALFORMED", 401, "copy the whole token: skerryctl token create prints it"},
    {"TOKEN_UNKNOWN", 401, "create a token on this hub: skerryctl token create"},
    {"TOKEN_EXPIRED", 403, "create a new token: skerryctl token create"},
    {"TOKEN_REVOKED", 403, "create a new token: skerryctl token create"},
    {"TOKEN_USED", 403, "create a new token for this box: skerryctl token create --single-use"},
    {"TOKEN_WRONG_NODE", 403,
     "join with the node name that the token was made for, or create a token for this one"},
    {"NODE_ALREADY_JOINED", 403,
     "create a token for that node: skerryctl token create --node <name>"},
    {"NODES_NOT_KNOWN", 403, "create a token for that node: skerryctl token create --node <name>"},
    {"NODE_DISABLED", 403, "ask the hub's operator: skerryctl node enable <name>"},
    {"NODE_UNKNOWN", 403, kJoinAnew},
    {"NODE_KEY_REPLACED", 403, kJoinAnew},
    {"NODE_CERTIFICATE_EXPIRED", 403, kJoinAnew},
    {"NODE_CERTIFICATE_REQUIRED", 403,
     "show the certificate of a node that has joined, in the TLS handshake"},
    {"CSR_INVALID", 400,
     "send a PKCS#10 request in PEM form, signed with its own P-256, P-384 or RSA key"},
    {"NODE_NAME_INVALID", 400,
     "use CN=system:node:<name> with a name of lower-case letters, digits, '-' and '.', and "
     "O=system:nodes"},
    {"RATE_LIMITED", 429, "wait a minute, then try again"},
    {"NOT_FOUND", 404,
     "the join port serves GET /ca.crt, GET /v1/ca.pem, GET /v1/time, POST /v1/token, POST "
     "/v1/join "
     "and POST /v1/renew"},
    {"METHOD_NOT_ALLOWED", 405,
     "GET /ca.crt, GET /v1/ca.pem, GET /v1/time, POST /v1/token, POST /v1/join, POST /v1/renew"},
    {"INTERNAL", 500, "look at the hub's log"},
};

}  // namespace

absl::Span<const Refusal> AllRefusals() { return kRefusals; }

const Refusal& RefusalOf(const absl::Status& status) {
  const std::string reason = GetErrorInfo(status).reason;
  for (const Refusal& refusal : kRefusals) {
    if (reason == refusal.reason) return refusal;
  }
  return AllRefusals().back();
}

http::Response RefusalResponse(const absl::Status& status) {
  const Refusal& refusal = RefusalOf(status);
  // What went wrong inside is the log's; a stranger gets no paths or SQL.
  std::string message = refusal.status == 500 ? "the hub failed" : std::string(status.message());
  http::Response response =
      JsonResponse(refusal.status, {{"code", absl::StatusCodeToString(status.code())},
                                    {"reason", refusal.reason},
                                    {"message", message},
                                    {"fix", refusal.fix}});
  if (refusal.status == 429) response.headers.emplace_back("Retry-After", "60");
  if (refusal.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

http::Response JsonResponse(int status, const nlohmann::json& body) {
  return {.status = status,
          .headers = {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}},
          // What a peer sent may not be UTF-8; it must not make the answer fail.
          .body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace)};
}

std::string Rfc3339(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone());
}

}  // namespace skerry::cloudhub
