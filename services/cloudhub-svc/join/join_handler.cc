#include "services/cloudhub-svc/join/join_handler.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/cloudhub-svc/join/refusals.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/join_tokens.h"
#include "services/lib/security/x509.h"

namespace skerry::cloudhub {
namespace {

constexpr char kJoinPath[] = "/v1/join";
constexpr char kRenewPath[] = "/v1/renew";
constexpr char kTokenPath[] = "/v1/token";
constexpr char kNodePrefix[] = "system:node:";
constexpr char kNodesOrganization[] = "system:nodes";

// "127.0.0.1" of "127.0.0.1:4711".
absl::string_view AddressOf(absl::string_view remote) {
  return remote.substr(0, remote.rfind(':'));
}

absl::StatusOr<security::JoinToken> TokenOf(const http::Request& request) {
  std::string header = request.Header("authorization");
  absl::string_view text = header;
  if (!absl::ConsumePrefix(&text, "Bearer ") && !absl::ConsumePrefix(&text, "bearer ")) {
    return Error(absl::StatusCode::kUnauthenticated, "the request carries no bearer token")
        .Reason("TOKEN_MISSING");
  }
  return security::ParseJoinToken(text);
}

absl::StatusOr<NodeName> NodeOf(const security::CertificateSubject& subject) {
  auto invalid = [](absl::string_view why) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("certificate signing request: ", why))
        .Reason("NODE_NAME_INVALID");
  };
  absl::string_view name = subject.common_name;
  if (!absl::ConsumePrefix(&name, kNodePrefix))
    return invalid("its CN does not begin with 'system:node:'");
  if (subject.organizations != std::vector<std::string>{kNodesOrganization}) {
    return invalid("its O is not 'system:nodes' alone");
  }
  absl::StatusOr<NodeName> node = NodeName::Parse(name);
  if (!node.ok()) return invalid(node.status().message());
  return node;
}

}  // namespace

JoinHandler::JoinHandler(JoinHandlerOptions options, const security::CertificateAuthority& ca,
                         TokenStore& tokens, RenewalHandler& renewals, JoinMetrics& metrics,
                         Clock& clock, const log::Logger& log)
    : options_(std::move(options)),
      ca_(ca),
      tokens_(tokens),
      renewals_(renewals),
      metrics_(metrics),
      clock_(clock),
      log_(log),
      requests_({.burst = 120, .per_second = 20}),
      failures_({.burst = 10, .per_second = 1.0 / 6}) {}

http::Response JoinHandler::Handle(const http::Request& request) {
  auto refuse = [&](absl::StatusCode code, absl::string_view message, absl::string_view reason) {
    return Refuse(request, Error(code, message).Reason(reason));
  };
  if (!requests_.Allow(AddressOf(request.remote), clock_.Monotonic())) {
    return refuse(absl::StatusCode::kResourceExhausted, "too many requests from this address",
                  "RATE_LIMITED");
  }
  const bool is_join = request.path == kJoinPath;
  const bool is_renewal = request.path == kRenewPath;
  const bool is_look = request.path == kTokenPath;
  const bool is_post = is_join || is_renewal || is_look;
  if (!is_post && request.path != "/ca.crt" && request.path != "/v1/ca.pem" &&
      request.path != "/v1/time") {
    return refuse(absl::StatusCode::kNotFound, "nothing is served at this path", "NOT_FOUND");
  }
  if (request.method != (is_post ? "POST" : "GET")) {
    return refuse(absl::StatusCode::kUnimplemented, "the path is served with another method",
                  "METHOD_NOT_ALLOWED");
  }
  if (is_join) return Guarded(request, [&] { return Issue(request); });
  if (is_look) return Guarded(request, [&] { return Look(request); });
  if (is_renewal) return renewals_.Handle(request);
  if (request.path == "/v1/time") return JsonResponse(200, {{"time", Rfc3339(clock_.Now())}});
  if (request.path == "/v1/ca.pem") {
    return {.headers = {{"Content-Type", "application/x-pem-file"}}, .body = ca_.certificate_pem()};
  }
  absl::StatusOr<std::string> der = security::CertificatePemToDer(ca_.certificate_pem());
  if (!der.ok()) return Refuse(request, der.status());
  return {.headers = {{"Content-Type", "application/octet-stream"}}, .body = *std::move(der)};
}

http::Response JoinHandler::Guarded(const http::Request& request,
                                    absl::FunctionRef<absl::StatusOr<http::Response>()> answer) {
  absl::string_view remote = AddressOf(request.remote);
  absl::Duration now = clock_.Monotonic();
  if (!failures_.HasLeft(remote, now)) {
    return Refuse(request, Error(absl::StatusCode::kResourceExhausted,
                                 "too many failed attempts from this address")
                               .Reason("RATE_LIMITED"));
  }
  absl::StatusOr<http::Response> answered = answer();
  if (answered.ok()) return *std::move(answered);
  // Where the hub failed nobody has guessed: boxes behind one address try again.
  if (RefusalOf(answered.status()).status < 500) failures_.Allow(remote, now);
  return Refuse(request, answered.status());
}

absl::StatusOr<http::Response> JoinHandler::Issue(const http::Request& request) {
  SKERRY_ASSIGN_OR_RETURN(security::JoinToken token, TokenOf(request));
  // Before the token is used up: a request that could not be signed anyway must not cost a
  // single-use token.
  SKERRY_ASSIGN_OR_RETURN(security::CertificateSubject subject, security::ParseCsr(request.body));
  SKERRY_ASSIGN_OR_RETURN(NodeName node, NodeOf(subject));
  SKERRY_ASSIGN_OR_RETURN(std::string key, security::CsrPublicKeyDer(request.body));
  JoiningNode joining = {.name = node, .key_hash = security::Sha256Hex(key)};
  absl::Time now = clock_.Now();
  SKERRY_ASSIGN_OR_RETURN(
      Redemption redemption,
      tokens_.Redeem(token.id, security::HashJoinSecret(token.secret), joining, now));
  if (!redemption.replaced_key_hash.empty()) {
    log_.Warning("node's key replaced", {{"node", node.value()},
                                         {"token", token.id},
                                         {"old_key_sha256", redemption.replaced_key_hash},
                                         {"new_key_sha256", joining.key_hash},
                                         {"remote", request.remote}});
  }
  security::CertificateSpec spec = {.subject = subject,
                                    .now = now,
                                    .lifetime = options_.node_certificate_lifetime,
                                    .for_client = true};
  SKERRY_ASSIGN_OR_RETURN(std::string certificate, ca_.SignCsr(request.body, spec));
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo info,
                          security::ParseCertificatePem(certificate));
  log_.Info("node certificate issued", {{"node", node.value()},
                                        {"token", token.id},
                                        {"serial", info.serial},
                                        {"expire_time", info.not_after},
                                        {"remote", request.remote}});
  metrics_.CountJoin("ISSUED");
  return JsonResponse(200, {{"node", node.value()},
                            {"certificate", certificate},
                            {"caCertificate", ca_.certificate_pem()},
                            {"expireTime", Rfc3339(info.not_after)},
                            {"linkAddress", LinkAddressFor(request)}});
}

// Whether a join with the token would get past it, for whoever holds the whole of it. Says nothing
// of nodes: a holder must not learn without a trace which names have joined.
absl::StatusOr<http::Response> JoinHandler::Look(const http::Request& request) {
  const absl::string_view text = absl::StripAsciiWhitespace(request.body);
  if (text.empty()) {
    return Error(absl::StatusCode::kUnauthenticated, "the request's body is no token")
        .Reason("TOKEN_MISSING");
  }
  SKERRY_ASSIGN_OR_RETURN(security::JoinToken shown, security::ParseJoinToken(text));
  SKERRY_ASSIGN_OR_RETURN(
      TokenRecord token,
      tokens_.Look(shown.id, security::HashJoinSecret(shown.secret), clock_.Now()));
  nlohmann::json body = {{"id", token.id},
                         {"createTime", Rfc3339(token.create_time)},
                         {"expireTime", Rfc3339(token.expire_time)}};
  if (token.node.has_value()) body["node"] = token.node->value();
  if (token.single_use) body["usesLeft"] = 1;  // One that is used up is refused.
  log_.Info("join token looked at", {{"token", token.id}, {"remote", request.remote}});
  metrics_.CountToken("GOOD");
  return JsonResponse(200, body);
}

http::Response JoinHandler::Refuse(const http::Request& request, const absl::Status& status) {
  const Refusal& refusal = RefusalOf(status);
  const bool is_look = request.path == kTokenPath;
  if (is_look) {
    metrics_.CountToken(refusal.reason);
  } else {
    metrics_.CountJoin(refusal.reason);
  }
  if (refusal.status == 500) {
    log_.Error(is_look ? "look at a join token failed" : "join request failed", status,
               {{"path", request.path}, {"remote", request.remote}});
  } else {
    log_.Info(is_look ? "look at a join token refused" : "join request refused",
              {{"reason", refusal.reason}, {"path", request.path}, {"remote", request.remote}});
  }
  return RefusalResponse(status);
}

std::string JoinHandler::LinkAddressFor(const http::Request& request) const {
  if (!options_.link_address.empty()) return options_.link_address;
  std::string host = request.Header("host");
  size_t colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) host.resize(colon);
  return absl::StrCat(host, ":", options_.link_port);
}

}  // namespace skerry::cloudhub
