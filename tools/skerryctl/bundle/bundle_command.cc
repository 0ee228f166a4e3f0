#include "tools/skerryctl/bundle/bundle_command.h"

#include <cstdlib>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/lib/base/build_info.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"
#include "tools/skerryctl/bundle/archive.h"
#include "tools/skerryctl/bundle/log_tail.h"
#include "tools/skerryctl/bundle/metrics_page.h"
#include "tools/skerryctl/bundle/redact.h"
#include "tools/skerryctl/doctor/core/findings.h"
#include "tools/skerryctl/doctor/observe.h"
#include "tools/skerryctl/doctor/report.h"
#include "tools/skerryctl/output.h"
#include "tools/skerryctl/status_command.h"

namespace skerry::skerryctl {
namespace {

constexpr absl::Duration kMetricsTimeout = absl::Seconds(3);
constexpr size_t kManifestMax = 64 << 10;

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y%m%dT%H%M%SZ", time, absl::UTCTimeZone());
}

// As the file is really called: no "..", and two of one name stay apart.
std::string LogName(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> whole(realpath(path.c_str(), nullptr),
                                                          &std::free);
  return absl::StrCat("logs", whole == nullptr ? "/unknown" : whole.get());
}

class Collector {
 public:
  Collector(const BundleOptions& options, Clock& clock)
      : options_(options),
        now_(clock.Now()),
        clock_(clock),
        archive_(static_cast<size_t>(options.bytes_max), now_) {}

  absl::StatusOr<Bundle> Run() {
    const Observations seen = ObserveBox(options_.folder, clock_);
    Take("doctor.json", RenderFindings(seen, FindingsOf(seen), Format::kJson));
    Take("status.json", RenderBox(AskBox(options_.run_dir), now_, Format::kJson));
    TakeIdentity();
    for (const char* name : {"edgehub", "edge-meta", "twin", "eventbus", "servicebus", "edged"}) {
      Take(absl::StrCat("config/", name, ".yaml"),
           security::ReadSmallFile(absl::StrCat(options_.folder, "/", name, ".yaml")));
    }
    for (const std::string& named : options_.ops) {
      const size_t equals = named.find('=');
      Take(absl::StrCat("metrics/", named.substr(0, equals), ".txt"),
           FetchMetrics(absl::string_view(named).substr(equals + 1), kMetricsTimeout));
    }
    for (const std::string& path : options_.logs) {
      Take(LogName(path), ReadTail(path, static_cast<size_t>(options_.log_lines)));
    }
    return Write();
  }

 private:
  void Take(const std::string& name, const absl::StatusOr<std::string>& text) {
    absl::Status status = text.status();
    if (status.ok()) status = archive_.Add(name, Redact(*text));
    lines_.push_back(status.ok() ? absl::StrCat("ok      ", name)
                                 : absl::StrCat("MISSING ", name, ": ", status.message()));
  }

  // What a certificate says of itself; its file has the key, too.
  void TakeIdentity() {
    Take("ca.crt", security::ReadSmallFile(options_.folder + "/ca.crt"));
    const auto pem = security::ReadSmallFile(options_.folder + "/node.pem");
    if (!pem.ok()) return Take("certificate.txt", pem.status());
    const auto info = security::ParseCertificatePem(*pem);
    if (!info.ok()) return Take("certificate.txt", info.status());
    node_ = std::string(absl::StripPrefix(info->common_name, "system:node:"));
    Take("certificate.txt",
         absl::StrCat("subject     ", info->common_name, "\norganizations ",
                      absl::StrJoin(info->organizations, ", "), "\nserial      ", info->serial,
                      "\nnot before  ", absl::FormatTime(info->not_before, absl::UTCTimeZone()),
                      "\nnot after   ", absl::FormatTime(info->not_after, absl::UTCTimeZone()),
                      "\nsha256      ", info->sha256_hex, "\nkey sha256  ", info->key_sha256_hex,
                      "\n"));
  }

  absl::StatusOr<Bundle> Write() {
    Bundle bundle = {.path = options_.out};
    if (bundle.path.empty()) {
      bundle.path = absl::StrCat("skerry-bundle-", node_, "-", TimeText(now_), ".tar.gz");
    }
    bundle.manifest =
        Redact(absl::StrCat("skerryctl ", BuildVersion(), " (", BuildCommit(), ") at ",
                            TimeText(now_), "\n", absl::StrJoin(lines_, "\n"), "\n"))
            .substr(0, kManifestMax);
    // It has its room beside what was asked for.
    archive_.Allow(kManifestMax);
    SKERRY_RETURN_IF_ERROR(archive_.Add("MANIFEST", bundle.manifest));
    SKERRY_ASSIGN_OR_RETURN(const std::string bytes, archive_.Finish());
    SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(bundle.path, bytes, 0600));
    return bundle;
  }

  const BundleOptions& options_;
  const absl::Time now_;
  Clock& clock_;
  Archive archive_;
  std::string node_ = "unknown";
  std::vector<std::string> lines_;
};

absl::Status Check(const BundleOptions& options) {
  for (const std::string& named : options.ops) {
    const size_t equals = named.find('=');
    if (equals == std::string::npos || equals == 0 || named.find('/') < equals) {
      return InvalidField("--ops", named, "give service=host:port, as in twin-svc=127.0.0.1:9103");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Bundle> MakeBundle(const BundleOptions& options, Clock& clock) {
  SKERRY_RETURN_IF_ERROR(Check(options));
  return Collector(options, clock).Run();
}

}  // namespace skerry::skerryctl
