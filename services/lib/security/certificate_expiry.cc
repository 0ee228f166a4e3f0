#include "services/lib/security/certificate_expiry.h"

#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"

namespace skerry::security {
namespace {

constexpr absl::Duration kLookEvery = absl::Minutes(1);

absl::StatusOr<absl::Time> EndOf(const std::string& path) {
  absl::StatusOr<std::string> pem = ReadSmallFile(path);
  if (!pem.ok()) return pem.status();
  absl::StatusOr<CertificateInfo> info = ParseCertificatePem(*pem);
  if (!info.ok()) return info.status();
  return info->not_after;
}

}  // namespace

CertificateExpiry::CertificateExpiry(const std::map<std::string, std::string>& files, Clock& clock,
                                     metrics::Registry& registry, const log::Logger& log)
    : clock_(clock), registry_(registry), log_(log), executor_("certificates", clock_) {
  for (const auto& [name, path] : files) {
    files_.push_back({.name = name, .path = path, .stamp = StampOf(path)});
    Read(files_.back());
  }
  executor_.PostAfter(kLookEvery, [this] { Look(); });
}

void CertificateExpiry::Look() {
  for (Shown& shown : files_) {
    const FileStamp stamp = StampOf(shown.path);
    if (stamp == shown.stamp) continue;
    shown.stamp = stamp;
    Read(shown);
  }
  executor_.PostAfter(kLookEvery, [this] { Look(); });
}

void CertificateExpiry::Read(const Shown& shown) {
  const absl::StatusOr<absl::Time> end = EndOf(shown.path);
  if (!end.ok()) {
    log_.Warning("a certificate can't be read; the one that was read last is used", end.status(),
                 {{"file", shown.path}});
    return;
  }
  registry_
      .Gauge("skerry_certificate_expire_timestamp_seconds",
             "When a certificate of this service ends.", {{"certificate", shown.name}})
      .Set(absl::ToDoubleSeconds(*end - absl::UnixEpoch()));
}

}  // namespace skerry::security
