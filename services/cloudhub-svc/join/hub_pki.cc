#include "services/cloudhub-svc/join/hub_pki.h"

#include <unistd.h>

#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/server_names.h"

namespace skerry::cloudhub {

struct HubPki::Client {
  const char* file;
  const char* common_name;
  const char* organization;
  bool serves;  // Under the hub's names, too: the kubelet endpoint of the edge nodes, the APIs of
                // devices and of rules.
};
constexpr HubPki::Client HubPki::kClients[] = {
    {"edge-controller", "system:edge-controller", "skerry:controllers", true},
    {"device-controller", "system:device-controller", "skerry:controllers", true},
    {"router", "system:router", "skerry:controllers", true},
    {"operator", "skerry:operator", "skerry:operators", false},
};

namespace {

constexpr char kCaName[] = "skerry-ca";
// Clients that hubs had written before they kept a list of it. A file that is not there does not
// say that it never was: its owner may have moved it.
constexpr char kWrittenBefore[] = "edge-controller\noperator";

std::string CaDir(const HubPkiOptions& options) {
  return options.ca_dir.empty() ? options.state_dir + "/ca" : options.ca_dir;
}

}  // namespace

HubPki::HubPki(HubPkiOptions options, Clock& clock, log::Logger log)
    : options_(std::move(options)), clock_(clock), log_(std::move(log)) {
  files_ = {.ca = CaDir(options_) + "/ca.crt",
            .cert = options_.state_dir + "/server/tls.crt",
            .key = options_.state_dir + "/server/tls.key"};
}

absl::StatusOr<std::unique_ptr<HubPki>> HubPki::Open(const HubPkiOptions& options, Clock& clock,
                                                     const log::Logger& log) {
  std::unique_ptr<HubPki> pki(new HubPki(options, clock, log));
  const bool first = IsNew(options);
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(options.state_dir, 0700));
  SKERRY_ASSIGN_OR_RETURN(
      pki->ca_, security::CertificateAuthority::LoadOrCreate(CaDir(options), kCaName, clock.Now()));
  if (first) log.Info("CA created", {{"folder", CaDir(options)}, {"ca_hash", pki->ca_->hash()}});
  if (options.write_clients) SKERRY_RETURN_IF_ERROR(pki->WriteClients());
  SKERRY_RETURN_IF_ERROR(pki->Renew().status());
  return pki;
}

bool HubPki::IsNew(const HubPkiOptions& options) {
  return access((CaDir(options) + "/ca.crt").c_str(), F_OK) != 0;
}

absl::StatusOr<security::RenewalReport> HubPki::Renew() {
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(options_.state_dir + "/server", 0700));
  security::CertificateSpec spec = {
      .subject = {.common_name = "skerry-cloudhub", .organizations = {"skerry:hubs"}},
      .now = clock_.Now(),
      .lifetime = options_.certificate_lifetime,
      .for_server = true,
      .for_client = true};
  security::AddServerNames(spec, options_.sans);
  security::RenewalReport report;
  report.expire_times["ca"] = ca_->end();
  SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate server, Keep(files_.cert, files_.key, spec));
  report.Add("server", server);
  if (!options_.write_clients) return report;
  for (const Client& client : kClients) {
    std::string stem = absl::StrCat(options_.state_dir, "/clients/", client.file);
    // One that was moved elsewhere is its owner's to renew.
    if (access((stem + ".key").c_str(), F_OK) != 0) continue;
    SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate kept,
                            Keep(stem + ".crt", stem + ".key", ClientSpec(client)));
    report.Add(client.file, kept);
  }
  return report;
}

security::CertificateSpec HubPki::ClientSpec(const Client& client) const {
  security::CertificateSpec spec = {
      .subject = {.common_name = client.common_name, .organizations = {client.organization}},
      .now = clock_.Now(),
      .lifetime = options_.certificate_lifetime,
      .for_client = true};
  if (!client.serves) return spec;
  security::AddServerNames(spec, options_.sans);
  spec.for_server = true;
  return spec;
}

absl::StatusOr<security::KeptCertificate> HubPki::Keep(const std::string& certificate_file,
                                                       const std::string& key_file,
                                                       const security::CertificateSpec& spec) {
  SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate kept,
                          security::KeepCertificate(*ca_, certificate_file, key_file, spec));
  security::LogIssued(log_, certificate_file, kept);
  return kept;
}

absl::Status HubPki::WriteClients() {
  const std::string folder = options_.state_dir + "/clients";
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(folder, 0700));
  const std::string copied = security::ReadSmallFile(folder + "/ca.crt").value_or("");
  const std::string former = security::ReadSmallFile(folder + "/written").value_or(kWrittenBefore);
  std::set<std::string> written = absl::StrSplit(former, '\n');
  // Another CA, or none: everybody needs another one.
  if (copied != ca_->certificate_pem()) written.clear();
  std::string list;
  for (const Client& client : kClients) {
    absl::StrAppend(&list, client.file, "\n");
    if (written.count(client.file) > 0) continue;
    const std::string stem = absl::StrCat(folder, "/", client.file);
    SKERRY_RETURN_IF_ERROR(Keep(stem + ".crt", stem + ".key", ClientSpec(client)).status());
  }
  // A hub whose disk is full starts all the same.
  if (list == former && copied == ca_->certificate_pem()) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(folder + "/written", list, 0644));
  return security::WriteFileAtomically(folder + "/ca.crt", ca_->certificate_pem(), 0644);
}

}  // namespace skerry::cloudhub
