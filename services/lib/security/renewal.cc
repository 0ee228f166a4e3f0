#include "services/lib/security/renewal.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "services/lib/base/status_macros.h"
#include "services/lib/security/csr.h"
#include "services/lib/security/files.h"

namespace skerry::security {
namespace {

std::set<std::string> SetOf(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

absl::Time RenewalTime(const CertificateInfo& certificate) {
  return certificate.not_before + (certificate.not_after - certificate.not_before) * 2 / 3;
}

std::string WhyRenew(absl::string_view certificate_pem, absl::string_view key_pem,
                     absl::string_view ca_pem, const CertificateSpec& spec) {
  if (!CheckKeyFitsCertificate(certificate_pem, key_pem).ok()) return "missing or not readable";
  absl::Status chain = VerifyChain(certificate_pem, ca_pem, spec.now);
  if (!chain.ok()) return std::string(chain.message());
  absl::StatusOr<CertificateInfo> info = ParseCertificatePem(certificate_pem);
  if (!info.ok()) return std::string(info.status().message());
  if (SetOf(info->dns_names) != SetOf(spec.dns_names) ||
      SetOf(info->ip_addresses) != SetOf(spec.ip_addresses)) {
    return "names have changed";
  }
  return spec.now >= RenewalTime(*info) ? "two thirds of its life are over" : "";
}

void LogIssued(const log::Logger& log, const std::string& file, const KeptCertificate& kept) {
  if (kept.why.empty()) return;
  log.Info("certificate issued", {{"why", kept.why},
                                  {"file", file},
                                  {"common_name", kept.info.common_name},
                                  {"serial", kept.info.serial},
                                  {"expire_time", kept.info.not_after}});
}

absl::StatusOr<KeptCertificate> KeepCertificate(const CertificateAuthority& ca,
                                                const std::string& certificate_file,
                                                const std::string& key_file,
                                                const CertificateSpec& spec) {
  std::string certificate = ReadSmallFile(certificate_file).value_or("");
  std::string key = ReadSmallFile(key_file).value_or("");
  KeptCertificate kept = {.why = WhyRenew(certificate, key, ca.certificate_pem(), spec)};
  if (!kept.why.empty()) {
    absl::StatusOr<std::string> csr = MakeCsr(key, spec.subject);
    if (!csr.ok()) {  // No usable key yet.
      SKERRY_ASSIGN_OR_RETURN(KeyAndCsr made, MakeKeyAndCsr(spec.subject));
      SKERRY_RETURN_IF_ERROR(WriteFileAtomically(key_file, made.key_pem, 0600));
      csr = std::move(made.csr_pem);
    }
    SKERRY_ASSIGN_OR_RETURN(certificate, ca.SignCsr(*csr, spec));
    SKERRY_RETURN_IF_ERROR(WriteFileAtomically(certificate_file, certificate, 0644));
  }
  SKERRY_ASSIGN_OR_RETURN(kept.info, ParseCertificatePem(certificate));
  return kept;
}

void RenewalReport::Add(const std::string& name, const KeptCertificate& kept) {
  next_time = std::min(next_time, RenewalTime(kept.info));
  expire_times[name] = kept.info.not_after;
  if (!kept.why.empty()) ++renewed;
}

}  // namespace skerry::security
