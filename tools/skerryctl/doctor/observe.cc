#include "tools/skerryctl/doctor/observe.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/security/files.h"
#include "services/lib/security/renewal.h"
#include "services/lib/security/x509.h"
#include "tools/skerryctl/doctor/box_config.h"
#include "tools/skerryctl/doctor/core/findings.h"
#include "tools/skerryctl/doctor/hub_answers.h"
#include "tools/skerryctl/doctor/local_probes.h"
#include "tools/skerryctl/doctor/tls_probe.h"
#include "tools/skerryctl/status_command.h"

namespace skerry::skerryctl {
namespace {

constexpr absl::Duration kBrokerTimeout = absl::Seconds(5);

IdentityFile LookAtIdentity(const std::string& path, const std::string& ca) {
  IdentityFile identity = {.path = path};
  const absl::StatusOr<std::string> pem = security::ReadSmallFile(path);
  identity.read = pem.status();
  if (!pem.ok()) return identity;
  struct stat file = {};
  identity.readable_by_all =
      stat(path.c_str(), &file) == 0 && (file.st_mode & (S_IRGRP | S_IROTH)) != 0;
  const absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(*pem);
  identity.parsed = info.ok() ? security::CheckKeyFitsCertificate(*pem, *pem) : info.status();
  if (!info.ok()) return identity;
  identity.not_before = info->not_before;
  identity.not_after = info->not_after;
  identity.renewal_time = security::RenewalTime(*info);
  // Its time is looked at apart from who issued it.
  if (const auto issuer = security::ParseCertificatePem(ca); !issuer.ok()) {
    // Such a file has issued nothing.
    identity.chain = Error(absl::StatusCode::kFailedPrecondition,
                           absl::StrCat("the file of the CA: ", issuer.status().message()))
                         .Reason("CERTIFICATE_UNTRUSTED");
  } else {
    identity.chain = security::VerifyChain(
        *pem, ca, std::max(info->not_before, issuer->not_before) + absl::Seconds(1));
  }
  return identity;
}

std::string HostOf(const std::string& address) {
  std::string host = address.substr(0, address.rfind(':'));
  return host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

TlsPeer ProbePort(HubPort& port, const edgehub::EdgeHubConfig& config, bool link) {
  port.name = config.cloud_server_name.empty() ? HostOf(port.address) : config.cloud_server_name;
  TlsPeer peer = ProbeTls({.address = port.address,
                           .name = port.name,
                           .identity_file = config.tls_identity,
                           .alpn = link ? "h2" : "",
                           .path = link ? "" : "/v1/time"});
  port.reached = peer.reached;
  port.name_fits = peer.name_fits;
  const auto info = security::ParseCertificatePem(peer.certificates_pem);
  if (info.ok()) {
    port.names = info->dns_names;
    port.names.insert(port.names.end(), info->ip_addresses.begin(), info->ip_addresses.end());
  }
  return peer;
}

std::string LinkAddressOf(const edgehub::EdgeHubConfig& config) {
  return std::string(absl::StripPrefix(config.cloud_address, "dns:///"));
}

std::string JoinAddressOf(const edgehub::EdgeHubConfig& config) {
  if (!config.cloud_join_address.empty()) return config.cloud_join_address;
  const std::string link = LinkAddressOf(config);
  return absl::StrCat(link.substr(0, link.rfind(':')), ":10002");
}

void LookAtHub(const edgehub::EdgeHubConfig& config, const std::string& ca, Clock& clock,
               Observations& seen) {
  HubPort link = {.setting = "cloud.address", .address = LinkAddressOf(config)};
  HubPort join = {.setting = "cloud.join_address", .address = JoinAddressOf(config)};
  const TlsPeer link_peer = ProbePort(link, config, true);
  const TlsPeer join_peer = ProbePort(join, config, false);
  seen.now = clock.Now();
  // Believed where the hub's own certificate is good at that time: a wrong clock of this box must
  // not look like a wrong certificate.
  if (const std::optional<absl::Time> time = TimeIn(join_peer.answer); time.has_value()) {
    if (security::VerifyChain(join_peer.certificates_pem, ca, *time).ok()) seen.hub_time = time;
  }
  const absl::Time now = seen.hub_time.value_or(seen.now);
  if (link.reached->ok()) link.chain = security::VerifyChain(link_peer.certificates_pem, ca, now);
  if (join.reached->ok()) join.chain = security::VerifyChain(join_peer.certificates_pem, ca, now);
  seen.hub = {std::move(link), std::move(join)};
}

Link LinkOf(const edgehub::v1::EdgeHubStatus& status) {
  Link link = {.connected = status.link().connected(),
               .down_reason = status.link().reason(),
               .journal_bytes = status.journal().size_bytes(),
               .journal_bytes_max = status.journal().size_bytes_max()};
  for (const edgehub::v1::TypeStatus& type : status.types()) {
    if (!type.synced() && !type.spoke().empty()) link.unsynced_types.push_back(type.type());
  }
  return link;
}

bool HasRun(const std::string& state_dir, absl::string_view database) {
  return access(absl::StrCat(state_dir, "/", database).c_str(), F_OK) == 0;
}

void LookAtServices(const BoxConfig& box, Observations& seen) {
  const bool edged_used = box.edged.has_value() && HasRun(box.edged->state_dir, "edged.db");
  const BoxStatus status = AskBox({.edgehub = box.edgehub.has_value() ? box.edgehub->listen : "",
                                   .meta = box.meta.has_value() ? box.meta->listen : "",
                                   .edged = edged_used ? box.edged->listen : ""});
  if (box.edgehub.has_value()) {
    seen.services.push_back({.name = "edgehub-svc", .answered = status.edgehub.status()});
  }
  if (box.meta.has_value()) {
    seen.services.push_back({.name = "edge-meta-svc", .answered = status.meta.status()});
  }
  if (box.twin.has_value()) {
    seen.services.push_back({.name = "twin-svc",
                             .used = HasRun(box.twin->state_dir, "twins.db"),
                             .answered = ProbeUnixSocket(box.twin->listen)});
  }
  if (edged_used) {
    seen.services.push_back({.name = "edged-svc", .answered = status.edged.status()});
    seen.runtime_endpoint = box.edged->runtime_endpoint;
    seen.runtime_reached = ProbeUnixSocket(box.edged->runtime_endpoint);
    if (status.edged.ok()) seen.runtime_ready = status.edged->runtime_ready();
  }
  if (status.edgehub.ok()) seen.link = LinkOf(*status.edgehub);
  if (status.edgehub.ok() && status.meta.ok()) seen.meta_attached = status.meta->edgehub_attached();
  if (box.eventbus.has_value() && HasRun(box.eventbus->state_dir, "eventbus.db")) {
    seen.broker = box.eventbus->mqtt_broker;
    seen.broker_accepted = ProbeBroker(*box.eventbus, kBrokerTimeout);
  }
}

// Where a folder that is not there yet would be made.
std::string NearestFolder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::path path = std::filesystem::absolute(folder, failed);
  while (path.has_relative_path() && !std::filesystem::exists(path, failed)) {
    path = path.parent_path();
  }
  return path;
}

// One look at each file system, though several folders are on it.
void LookAtDisks(const std::string& folder, const BoxConfig& box, Observations& seen) {
  std::vector<std::string> folders = {folder};
  if (box.edgehub.has_value()) folders.push_back(box.edgehub->state_dir);
  if (box.meta.has_value()) folders.push_back(box.meta->state_dir);
  if (box.twin.has_value()) folders.push_back(box.twin->state_dir);
  if (box.eventbus.has_value()) folders.push_back(box.eventbus->state_dir);
  if (box.edged.has_value()) folders.push_back(box.edged->state_dir);
  std::set<std::string> names;
  std::set<dev_t> devices;
  for (const std::string& name : folders) {
    if (!names.insert(name).second) continue;
    struct stat file = {};
    if (stat(name.c_str(), &file) == 0 && !devices.insert(file.st_dev).second) continue;
    seen.disks.push_back(LookAtDisk(name));
  }
}

}  // namespace

Observations ObserveBox(const std::string& folder, Clock& clock, TokenOptions token) {
  const BoxConfig box = LoadBoxConfig(folder);
  Observations seen = {.now = clock.Now(), .folder = folder, .configs = box.files};
  // Without its configuration, the files are where join puts them.
  const std::string ca_file = box.edgehub.has_value() ? box.edgehub->tls_ca : folder + "/ca.crt";
  const std::string identity_file =
      box.edgehub.has_value() ? box.edgehub->tls_identity : folder + "/node.pem";
  // An unreadable CA is seen as one that has issued nothing.
  const std::string ca = security::ReadSmallFile(ca_file).value_or("");
  seen.identity = LookAtIdentity(identity_file, ca);
  const bool joined = !absl::IsNotFound(seen.identity->read);
  if (joined) {
    if (box.edgehub.has_value()) LookAtHub(*box.edgehub, ca, clock, seen);
    LookAtServices(box, seen);
  }
  if (!token.token.empty() && HasToJoin(seen)) {
    if (token.cloud.empty() && box.edgehub.has_value()) token.cloud = JoinAddressOf(*box.edgehub);
    LookAtToken(token, clock, seen);
  }
  LookAtDisks(joined ? folder : NearestFolder(folder), box, seen);
  return seen;
}

}  // namespace skerry::skerryctl
