#include "services/edgehub-svc/renewal/certificate_renewer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/edgehub-svc/renewal/renewal_plan.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"

namespace skerry::edgehub {
namespace {

constexpr absl::Duration kLookMin = absl::Seconds(1);
// Clocks are set, and the file may be replaced.
constexpr absl::Duration kLookMax = absl::Hours(1);
constexpr absl::Duration kUnreadableWait = absl::Minutes(1);

// OK if the hub signed what was asked for.
absl::Status Check(absl::string_view certificate, absl::string_view key, absl::string_view ca,
                   const NodeIdentity& present, absl::Time now) {
  const auto wrong = [](absl::string_view why) {
    return Error(absl::StatusCode::kInternal, absl::StrCat("the hub's answer is of no use: ", why))
        .Reason("HUB_ANSWER_INVALID");
  };
  absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(certificate);
  if (!info.ok()) return wrong(info.status().message());
  if (info->common_name != present.certificate.common_name) return wrong("another node's name");
  absl::Status good = security::CheckKeyFitsCertificate(certificate, key);
  if (good.ok()) good = security::VerifyChain(certificate, ca, now);
  if (!good.ok()) return wrong(good.message());
  return absl::OkStatus();
}

}  // namespace

CertificateRenewer::CertificateRenewer(Config config, RenewalClient& hub, Clock& clock,
                                       EdgeHubMetrics& metrics, const log::Logger& log)
    : config_(std::move(config)),
      hub_(hub),
      clock_(clock),
      metrics_(metrics),
      log_(log),
      random_(config_.seed),
      executor_("renewal", clock) {}

void CertificateRenewer::Start() {
  executor_.Post([this] { Run(); });
}

void CertificateRenewer::Stop() {
  hub_.Cancel();
  executor_.Stop();
}

void CertificateRenewer::Run() {
  executor_.PostAfter(Look(), [this] { Run(); });
}

absl::Duration CertificateRenewer::Look() {
  absl::StatusOr<NodeIdentity> identity = ReadNodeIdentity(config_.identity_file);
  if (!identity.ok()) {
    log_.Error("this node's certificate can't be read", identity.status());
    return kUnreadableWait;
  }
  metrics_.CertificateExpires(identity->certificate.not_after);
  if (identity->certificate.serial != planned_serial_) {
    planned_serial_ = identity->certificate.serial;
    due_ = RenewalDue(identity->certificate, Fraction());
    failures_ = 0;
  }
  const absl::Duration left = due_ - clock_.Now();
  if (left > absl::ZeroDuration()) return std::clamp(left, kLookMin, kLookMax);
  const absl::Status renewed = Renew(*identity);
  if (absl::IsCancelled(renewed)) return kLookMax;
  if (!renewed.ok()) return Failed(*identity, renewed);
  metrics_.CertificateRenewal("renewed");
  return LongestDelay(identity->certificate, Fraction());
}

absl::Duration CertificateRenewer::Failed(const NodeIdentity& identity,
                                          const absl::Status& status) {
  ++failures_;
  const security::CertificateInfo& certificate = identity.certificate;
  const ErrorInfo info = GetErrorInfo(status);
  if (absl::IsPermissionDenied(status) && info.metadata.count("fix") != 0) {
    metrics_.CertificateRenewal("refused");
    log_.Error("the hub refuses this node a new certificate", status,
               {{"fix", info.metadata.at("fix")}, {"expire_time", certificate.not_after}});
    return LongestDelay(certificate, Fraction());
  }
  metrics_.CertificateRenewal(absl::IsUnavailable(status) ? "unreachable" : "failed");
  const absl::Duration wait = RetryDelay(certificate, failures_, Fraction());
  log_.Warning("renewing this node's certificate failed", status,
               {{"expire_time", certificate.not_after}, {"retry_after", wait}});
  return wait;
}

absl::Status CertificateRenewer::Renew(const NodeIdentity& present) {
  SKERRY_ASSIGN_OR_RETURN(std::string ca, security::ReadSmallFile(config_.ca_file));
  SKERRY_ASSIGN_OR_RETURN(
      security::KeyAndCsr made,
      security::MakeKeyAndCsr({.common_name = present.certificate.common_name,
                               .organizations = present.certificate.organizations}));
  SKERRY_ASSIGN_OR_RETURN(std::string certificate, hub_.Renew(present, made.csr_pem));
  SKERRY_RETURN_IF_ERROR(Check(certificate, made.key_pem, ca, present, clock_.Now()));
  SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(
      config_.identity_file, absl::StrCat(certificate, made.key_pem), 0600));
  SKERRY_ASSIGN_OR_RETURN(security::CertificateInfo info,
                          security::ParseCertificatePem(certificate));
  metrics_.CertificateExpires(info.not_after);
  log_.Info("this node's certificate was renewed",
            {{"old_serial", present.certificate.serial},
             {"old_expire_time", present.certificate.not_after},
             {"serial", info.serial},
             {"expire_time", info.not_after},
             {"key_sha256", info.key_sha256_hex}});
  return absl::OkStatus();
}

}  // namespace skerry::edgehub
