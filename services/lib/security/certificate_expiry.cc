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
    : clock_(clock), log_(log), executor_("certificates", clock_) {
  for (const auto& [name, path] : files) {
    Shown& shown = files_[path];
    shown.gauge =
        &registry.Gauge("skerry_certificate_expire_timestamp_seconds",
                        "When a certificate of this service ends.", {{"certificate", name}});
    shown.stamp = StampOf(path);
    Read(path, shown);
  }
  executor_.PostAfter(kLookEvery, [this] { Look(); });
}

void CertificateExpiry::Look() {
  for (auto& [path, shown] : files_) {
    const FileStamp stamp = StampOf(path);
    if (stamp == shown.stamp) continue;
    shown.stamp = stamp;
    Read(path, shown);
  }
  executor_.PostAfter(kLookEvery, [this] { Look(); });
}

void CertificateExpiry::Read(const std::string& path, Shown& shown) {
  const absl::StatusOr<absl::Time> end = EndOf(path);
  if (end.ok()) return shown.gauge->Set(absl::ToDoubleSeconds(*end - absl::UnixEpoch()));
  log_.Warning("a certificate can't be read; the one that was read last is used", end.status(),
               {{"file", path}});
}

}  // namespace skerry::security
