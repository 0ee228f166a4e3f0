#include "services/cloudhub-svc/join/renewal_handler.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/cloudhub-svc/join/refusals.h"
#include "services/cloudhub-svc/service/node_identity.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/csr.h"

namespace skerry::cloudhub {

RenewalHandler::RenewalHandler(const RenewalOptions& options,
                               const security::CertificateAuthority& ca, NodeRegistry& nodes,
                               JoinMetrics& metrics, Clock& clock, const log::Logger& log)
    : options_(options), ca_(ca), nodes_(nodes), metrics_(metrics), clock_(clock), log_(log) {}

http::Response RenewalHandler::Handle(const http::Request& request) {
  absl::StatusOr<http::Response> answer = Issue(request);
  if (answer.ok()) return *std::move(answer);
  const absl::Status& status = answer.status();
  const Refusal& refusal = RefusalOf(status);
  metrics_.CountRenewal(refusal.reason);
  // An operator should hear of a node that can't go on by itself before its certificate ends.
  const absl::string_view name =
      request.client.has_value() ? request.client->common_name : absl::string_view();
  if (refusal.status == 500) {
    log_.Error("renewing a node's certificate failed", status,
               {{"common_name", name}, {"remote", request.remote}});
  } else {
    log_.Warning("renewing a node's certificate refused", status,
                 {{"common_name", name}, {"remote", request.remote}});
  }
  return RefusalResponse(status);
}

absl::StatusOr<RenewalHandler::Node> RenewalHandler::Authenticate(
    const http::Request& request) const {
  if (!request.client.has_value()) {
    return Error(absl::StatusCode::kUnauthenticated, "the request came without a certificate")
        .Reason("NODE_CERTIFICATE_REQUIRED");
  }
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo info,
                          security::ParseCertificatePem(request.client->pem));
  SKERRY_ASSIGN_OR_RETURN(NodeName name, NodeOf({.common_name = info.common_name,
                                                 .organizations = info.organizations}));
  const absl::Time now = clock_.Now();
  if (now > info.not_after + options_.expired_grace) {
    return Error(absl::StatusCode::kPermissionDenied,
                 absl::StrCat("the certificate of node '", name.value(), "' ended at ",
                              Rfc3339(info.not_after), ", more than ",
                              absl::FormatDuration(options_.expired_grace), " ago"))
        .Reason("NODE_CERTIFICATE_EXPIRED")
        .Meta("node", name.value());
  }
  const bool expired = now > info.not_after;
  return Node{std::move(name), std::move(info), expired};
}

absl::StatusOr<http::Response> RenewalHandler::Issue(const http::Request& request) {
  SKERRY_ASSIGN_OR_RETURN(Node node, Authenticate(request));
  SKERRY_ASSIGN_OR_RETURN(security::CertificateSubject subject, security::ParseCsr(request.body));
  if (subject.common_name != node.certificate.common_name ||
      subject.organizations != node.certificate.organizations) {
    return Error(absl::StatusCode::kInvalidArgument,
                 "certificate signing request: its subject is not that of the certificate")
        .Reason("CSR_INVALID");
  }
  SKERRY_ASSIGN_OR_RETURN(std::string next_key, security::CsrPublicKeyDer(request.body));
  const std::string& key_hash = node.certificate.key_sha256_hex;
  const std::string next_key_hash = security::Sha256Hex(next_key);
  const absl::Time now = clock_.Now();
  // Before the certificate exists: whatever breaks off from here on, both keys are the node's.
  SKERRY_RETURN_IF_ERROR(nodes_.BeginRotation(node.name, key_hash, next_key_hash, now));
  security::CertificateSpec spec = {.subject = subject,
                                    .now = now,
                                    .lifetime = options_.certificate_lifetime,
                                    .for_client = true};
  SKERRY_ASSIGN_OR_RETURN(std::string certificate, ca_.SignCsr(request.body, spec));
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo info,
                          security::ParseCertificatePem(certificate));
  metrics_.CountRenewal(node.expired ? "REENROLLED" : "RENEWED");
  log_.Info("node certificate renewed", {{"node", node.name.value()},
                                         {"old_serial", node.certificate.serial},
                                         {"old_expire_time", node.certificate.not_after},
                                         {"serial", info.serial},
                                         {"expire_time", info.not_after},
                                         {"old_key_sha256", key_hash},
                                         {"new_key_sha256", next_key_hash},
                                         {"remote", request.remote}});
  return JsonResponse(200, {{"node", node.name.value()},
                            {"certificate", certificate},
                            {"expireTime", Rfc3339(info.not_after)}});
}

}  // namespace skerry::cloudhub
