#include "tools/skerryctl/doctor/core/findings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "services/lib/base/check.h"
#include "services/lib/base/error.h"
#include "tools/skerryctl/doctor/core/token.h"

namespace skerry::skerryctl {
namespace {

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

bool HasJoined(const Observations& seen) {
  return !seen.identity.has_value() || !absl::IsNotFound(seen.identity->read);
}

// The hub's clock is the one that certificates go by; ours only where it can't be asked.
absl::Time NowOf(const Observations& seen) { return seen.hub_time.value_or(seen.now); }

// Collects findings of one box.
class Doctor {
 public:
  explicit Doctor(const Observations& seen) : seen_(seen) {}

  std::vector<Finding> Run() {
    if (!HasJoined(seen_)) {
      // Who shows a token asks whether a join would succeed.
      if (!seen_.token.has_value()) {
        Find("NOT_JOINED", std::string(seen_.identity->read.message()));
      }
      LookAtClock();
      LookAtHub();
      LookAtToken();
    } else {
      LookAtConfig();
      LookAtCertificate();
      LookAtClock();
      LookAtHub();
      LookAtToken();
      LookAtServices();
      LookAtLink();
    }
    LookAtRuntime();
    LookAtBroker();
    for (const Disk& disk : seen_.disks) LookAtDisk(disk);
    return std::move(findings_);
  }

 private:
  void Find(absl::string_view code, std::string what) {
    const auto& all = Diagnoses();
    auto found = std::find_if(all.begin(), all.end(), [code](const Diagnosis& diagnosis) {
      return diagnosis.code == code;
    });
    SKERRY_CHECK(found != all.end());
    findings_.push_back({.diagnosis = &*found, .seen = std::move(what)});
  }

  bool Found(absl::string_view check) const {
    return std::any_of(findings_.begin(), findings_.end(), [check](const Finding& finding) {
      return finding.diagnosis->check == check && finding.diagnosis->severity == Severity::kError;
    });
  }

  void LookAtConfig() {
    for (const ConfigFile& config : seen_.configs) {
      if (!config.loaded.ok()) Find("CONFIG_INVALID", std::string(config.loaded.message()));
    }
  }

  absl::Time Now() const { return NowOf(seen_); }

  void LookAtCertificate() {
    if (!seen_.identity.has_value()) return;
    const IdentityFile& file = *seen_.identity;
    if (!file.read.ok()) {
      return Find("CERTIFICATE_UNREADABLE", std::string(file.read.message()));
    }
    if (file.readable_by_all) Find("KEY_EXPOSED", file.path);
    if (!file.parsed.ok()) {
      return Find("CERTIFICATE_INVALID", absl::StrCat(file.path, ": ", file.parsed.message()));
    }
    const std::string validity =
        absl::StrCat(file.path, ": valid from ", TimeText(file.not_before), " to ",
                     TimeText(file.not_after), ", and it is ", TimeText(Now()));
    // Times are judged below: they may have none in common with the CA's.
    if (GetErrorInfo(file.chain).reason == "CERTIFICATE_UNTRUSTED") {
      Find("CERTIFICATE_UNTRUSTED", absl::StrCat(file.path, ": ", file.chain.message()));
    } else if (Now() < file.not_before) {
      Find("CERTIFICATE_NOT_YET_VALID", validity);
    } else if (Now() > file.not_after) {
      Find("CERTIFICATE_EXPIRED", validity);
    } else if (Now() > file.renewal_time + (file.not_after - file.renewal_time) / 2) {
      Find("CERTIFICATE_NOT_RENEWED", validity);
    }
  }

  void LookAtClock() {
    if (!seen_.hub_time.has_value()) return;
    const absl::Duration skew = seen_.now - *seen_.hub_time;
    if (absl::AbsDuration(skew) <= kDoctorSkewMax) return;
    Find("CLOCK_SKEW",
         absl::StrCat("this box is at ", TimeText(seen_.now), ", the hub at ",
                      TimeText(*seen_.hub_time), ": ",
                      absl::FormatDuration(absl::Trunc(absl::AbsDuration(skew), absl::Seconds(1))),
                      skew > absl::ZeroDuration() ? " ahead" : " behind"));
  }

  // Empty: good, or not looked at.
  static absl::string_view CodeOf(const HubPort& port) {
    if (!port.reached.has_value()) return "";
    if (!port.reached->ok()) {
      const std::string reason = GetErrorInfo(*port.reached).reason;
      if (reason == "RESOLVE_FAILED") return "HUB_NAME_UNRESOLVED";
      if (reason == "TLS_FAILED") return "HUB_TLS_FAILED";
      return "HUB_UNREACHABLE";
    }
    if (port.chain.has_value() && !port.chain->ok()) {
      return GetErrorInfo(*port.chain).reason == "CERTIFICATE_UNTRUSTED"
                 ? "HUB_UNTRUSTED"
                 : "HUB_CERTIFICATE_EXPIRED";
    }
    return port.name_fits ? "" : "HUB_NAME_MISMATCH";
  }

  static std::string SeenAt(const HubPort& port) {
    std::string text = absl::StrCat(port.setting, " ", port.address, ": ");
    if (!port.reached->ok()) return absl::StrCat(text, port.reached->message());
    if (port.chain.has_value() && !port.chain->ok()) {
      return absl::StrCat(text, port.chain->message());
    }
    return absl::StrCat(text, "dialled as '", port.name, "', its certificate is for ",
                        port.names.empty() ? "nobody" : absl::StrJoin(port.names, ", "));
  }

  // What holds for both ports is one finding.
  void LookAtHub() {
    std::vector<std::pair<absl::string_view, std::vector<const HubPort*>>> by_code;
    for (const HubPort& port : seen_.hub) {
      const absl::string_view code = CodeOf(port);
      if (code.empty()) continue;
      if (by_code.empty() || by_code.back().first != code) by_code.push_back({code, {}});
      by_code.back().second.push_back(&port);
    }
    for (auto& [code, ports] : by_code) {
      if (code == "HUB_UNREACHABLE" && ports.size() < seen_.hub.size()) {
        code = ports[0]->setting == "cloud.address" ? "LINK_PORT_UNREACHABLE"
                                                    : "JOIN_PORT_UNREACHABLE";
      }
      Find(code, absl::StrJoin(ports, "; ", [](std::string* out, const HubPort* port) {
             absl::StrAppend(out, SeenAt(*port));
           }));
    }
  }

  void LookAtToken() {
    if (!seen_.token.has_value() || !HasToJoin(seen_)) return;
    for (TokenFault& fault : FaultsOf(*seen_.token, Now())) {
      const bool unsaid = fault.code == "HUB_API_FAILED" || fault.code == "JOIN_PORT_FAILED";
      if (unsaid && (Found("hub") || Found("clock"))) continue;
      Find(fault.code, std::move(fault.seen));
    }
  }

  void LookAtServices() {
    for (const Service& service : seen_.services) {
      if (service.used && service.answered.has_value() && !service.answered->ok()) {
        Find("SERVICE_DOWN", absl::StrCat(service.name, ": ", service.answered->message()));
      }
    }
  }

  void LookAtLink() {
    if (seen_.meta_attached.has_value() && !*seen_.meta_attached) {
      Find("META_DETACHED", "edge-meta-svc is not attached to edgehub-svc");
    }
    if (!seen_.link.has_value()) return;
    const Link& link = *seen_.link;
    if (link.journal_bytes_max > 0 && link.journal_bytes > link.journal_bytes_max / 10 * 8) {
      Find("JOURNAL_FILLING", absl::StrCat(link.journal_bytes, " of ", link.journal_bytes_max,
                                           " bytes wait for the cloud"));
    }
    const bool explained =
        Found("certificate") || Found("clock") || Found("hub") || Found("config");
    if (!link.connected && !explained) {
      Find("LINK_DOWN", link.down_reason.empty() ? "no reason given" : link.down_reason);
    }
    if (link.connected && !link.unsynced_types.empty() && !Found("services") && !Found("link")) {
      Find("NOT_SYNCED", absl::StrJoin(link.unsynced_types, ", "));
    }
  }

  void LookAtRuntime() {
    if (seen_.runtime_reached.has_value() && !seen_.runtime_reached->ok()) {
      return Find("RUNTIME_UNREACHABLE",
                  absl::StrCat(seen_.runtime_endpoint, ": ", seen_.runtime_reached->message()));
    }
    if (seen_.runtime_ready.has_value() && !*seen_.runtime_ready) {
      Find("RUNTIME_NOT_READY", absl::StrCat("edged-svc says so of ", seen_.runtime_endpoint));
    }
  }

  void LookAtBroker() {
    if (!seen_.broker_accepted.has_value() || seen_.broker_accepted->ok()) return;
    Find(absl::IsUnavailable(*seen_.broker_accepted) ? "BROKER_UNREACHABLE" : "BROKER_REFUSED",
         absl::StrCat(seen_.broker, ": ", seen_.broker_accepted->message()));
  }

  void LookAtDisk(const Disk& disk) {
    if (!disk.seen.ok()) return Find("FOLDER_MISSING", std::string(disk.seen.message()));
    if (disk.read_only) return Find("DISK_READ_ONLY", disk.folder);
    const std::string room = absl::StrCat(disk.folder, ": ", disk.free_bytes >> 20, " MiB free");
    if (disk.free_bytes < kDiskFullBytes) {
      Find("DISK_FULL", room);
    } else if (disk.free_bytes < kDiskLowBytes) {
      Find("DISK_LOW", room);
    }
    if (disk.free_inodes.has_value() && *disk.free_inodes < kInodesMin) {
      Find("INODES_FULL", absl::StrCat(disk.folder, ": ", *disk.free_inodes, " inodes free"));
    }
  }

  const Observations& seen_;
  std::vector<Finding> findings_;
};

std::string WhyTokenSkipped(absl::string_view check, bool any_port, const Observations& seen) {
  if (!seen.token.has_value()) return "no token was given: --token or SKERRY_JOIN_TOKEN";
  const GivenToken& token = *seen.token;
  if (!token.parsed.ok()) return check == "token" ? "" : "the token is malformed";
  if (check == "token") {
    if (token.ca_served.has_value()) return "";
    return any_port ? "the hub's CA could not be fetched" : "no --cloud names the hub";
  }
  if (token.ca_served.has_value() && token.ca_served->ok() &&
      token.served_ca_hash != token.ca_hash) {
    return "it is another hub's";
  }
  if (!token.asked.has_value()) {
    return any_port ? "the hub could not be asked" : "only the hub knows it: --cloud, or --hub";
  }
  if (IsOlderHub(token)) return "this hub is older, and tells it by its API alone: --hub";
  return token.asked->ok() ? "" : "the hub did not say";
}

}  // namespace

bool HasToJoin(const Observations& seen) {
  if (!seen.identity.has_value()) return false;
  const IdentityFile& file = *seen.identity;
  return absl::IsNotFound(file.read) ||
         (file.read.ok() &&
          (!file.parsed.ok() || NowOf(seen) < file.not_before || NowOf(seen) > file.not_after ||
           GetErrorInfo(file.chain).reason == "CERTIFICATE_UNTRUSTED"));
}

std::vector<Finding> FindingsOf(const Observations& seen) { return Doctor(seen).Run(); }

std::vector<absl::string_view> ChecksOf(const Observations& seen) {
  std::vector<absl::string_view> checks = Checks();
  if (!HasToJoin(seen)) {
    checks.erase(std::remove_if(checks.begin(), checks.end(),
                                [](absl::string_view check) {
                                  return check == "token" || check == "token-age";
                                }),
                 checks.end());
  }
  return checks;
}

std::string WhySkipped(absl::string_view check, const Observations& seen) {
  const bool any_port = std::any_of(seen.hub.begin(), seen.hub.end(),
                                    [](const HubPort& port) { return port.reached.has_value(); });
  if (check == "token" || check == "token-age") return WhyTokenSkipped(check, any_port, seen);
  if ((check == "clock" || check == "hub") && !any_port && !HasJoined(seen)) {
    return seen.token.has_value() && !seen.token->parsed.ok() ? "the token is malformed"
                                                              : "no --cloud names the hub";
  }
  if (check == "clock" && !seen.hub_time.has_value()) return "the hub's time is not known";
  if (check == "hub" && !any_port) return "no configuration names it";
  if (check == "disk" || check == "hub" || check == "clock") return "";
  if (!HasJoined(seen)) {
    return check == "config" && !seen.token.has_value() ? "" : "this box has not joined";
  }
  if (check == "certificate" && !seen.identity.has_value()) return "no configuration names it";
  if (check == "link" && !seen.link.has_value()) return "edgehub-svc does not answer";
  if (check == "runtime" && !seen.runtime_reached.has_value()) {
    return "edged-svc has never run here";
  }
  if (check == "broker" && !seen.broker_accepted.has_value()) {
    return "eventbus-svc has never run here";
  }
  return "";
}

}  // namespace skerry::skerryctl
