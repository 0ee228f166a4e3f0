#include "services/cloudhub-svc/join/hub_pki.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"

namespace skerry::cloudhub {

struct HubPki::Client {
  const char* file;
  const char* common_name;
  const char* organization;
};
constexpr HubPki::Client HubPki::kClients[] = {
    {"edge-controller", "system:edge-controller", "skerry:controllers"},
    {"operator", "skerry:operator", "skerry:operators"},
};

namespace {

constexpr char kCaName[] = "skerry-ca";

bool IsAddress(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

// One spelling, so that "0:0::1" and "::1" are the same address.
std::string CanonicalAddress(const std::string& text) {
  unsigned char bytes[16];
  char out[INET6_ADDRSTRLEN] = {};
  int family = inet_pton(AF_INET, text.c_str(), bytes) == 1 ? AF_INET : AF_INET6;
  if (inet_pton(family, text.c_str(), bytes) != 1) return text;
  return inet_ntop(family, bytes, out, sizeof(out)) == nullptr ? text : out;
}

struct Names {
  std::set<std::string> dns;
  std::set<std::string> addresses;
};

Names ServerNames(const HubPkiOptions& options) {
  Names names = {.dns = {"localhost"}, .addresses = {"127.0.0.1", "::1"}};
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) == 0 && host[0] != '\0') names.dns.insert(host);
  for (const std::string& san : options.sans) {
    if (san.empty()) continue;
    if (IsAddress(san)) {
      names.addresses.insert(CanonicalAddress(san));
    } else {
      names.dns.insert(san);
    }
  }
  return names;
}

std::set<std::string> SetOf(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

// Why the certificate must be issued anew; empty if it is good.
std::string WhyRenew(const std::string& certificate_pem, const std::string& key_pem,
                     const std::string& ca_pem, const security::CertificateSpec& spec) {
  if (!security::CheckKeyFitsCertificate(certificate_pem, key_pem).ok())
    return "missing or not readable";
  absl::Status chain = security::VerifyChain(certificate_pem, ca_pem, spec.now);
  if (!chain.ok()) return std::string(chain.message());
  absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(certificate_pem);
  if (!info.ok()) return std::string(info.status().message());
  if (SetOf(info->dns_names) != SetOf(spec.dns_names) ||
      SetOf(info->ip_addresses) != SetOf(spec.ip_addresses)) {
    return "names have changed";
  }
  absl::Duration life = info->not_after - info->not_before;
  if (spec.now >= info->not_before + life * 2 / 3) return "two thirds of its life are over";
  return "";
}

}  // namespace

HubPki::HubPki(HubPkiOptions options, Clock& clock, log::Logger log)
    : options_(std::move(options)), clock_(clock), log_(std::move(log)) {
  files_ = {.ca = options_.state_dir + "/ca/ca.crt",
            .cert = options_.state_dir + "/server/tls.crt",
            .key = options_.state_dir + "/server/tls.key"};
}

absl::StatusOr<std::unique_ptr<HubPki>> HubPki::Open(const HubPkiOptions& options, Clock& clock,
                                                     const log::Logger& log) {
  std::unique_ptr<HubPki> pki(new HubPki(options, clock, log));
  const bool first = IsNew(options.state_dir);
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(options.state_dir, 0700));
  SKERRY_ASSIGN_OR_RETURN(pki->ca_, security::CertificateAuthority::LoadOrCreate(
                                        options.state_dir + "/ca", kCaName, clock.Now()));
  if (first)
    log.Info("CA created", {{"folder", options.state_dir + "/ca"}, {"ca_hash", pki->ca_->hash()}});
  SKERRY_RETURN_IF_ERROR(pki->WriteClients());
  SKERRY_RETURN_IF_ERROR(pki->Renew());
  return pki;
}

bool HubPki::IsNew(const std::string& state_dir) {
  return access((state_dir + "/ca/ca.crt").c_str(), F_OK) != 0;
}

absl::Status HubPki::Renew() {
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(options_.state_dir + "/server", 0700));
  Names names = ServerNames(options_);
  security::CertificateSpec spec = {
      .subject = {.common_name = "skerry-cloudhub", .organizations = {"skerry:hubs"}},
      .dns_names = {names.dns.begin(), names.dns.end()},
      .ip_addresses = {names.addresses.begin(), names.addresses.end()},
      .lifetime = options_.certificate_lifetime,
      .for_server = true,
      .for_client = true};
  SKERRY_RETURN_IF_ERROR(Ensure(files_.cert, files_.key, std::move(spec)));
  for (const Client& client : kClients) {
    std::string stem = absl::StrCat(options_.state_dir, "/clients/", client.file);
    // One that was moved elsewhere is its owner's to renew.
    if (access((stem + ".key").c_str(), F_OK) != 0) continue;
    SKERRY_RETURN_IF_ERROR(Ensure(stem + ".crt", stem + ".key", ClientSpec(client)));
  }
  return absl::OkStatus();
}

security::CertificateSpec HubPki::ClientSpec(const Client& client) const {
  return {.subject = {.common_name = client.common_name, .organizations = {client.organization}},
          .lifetime = options_.certificate_lifetime,
          .for_client = true};
}

absl::Status HubPki::Ensure(const std::string& certificate_file, const std::string& key_file,
                            security::CertificateSpec spec) {
  spec.now = clock_.Now();
  std::string certificate = security::ReadSmallFile(certificate_file).value_or("");
  std::string key = security::ReadSmallFile(key_file).value_or("");
  std::string why = WhyRenew(certificate, key, ca_->certificate_pem(), spec);
  if (why.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> csr = security::MakeCsr(key, spec.subject);
  if (!csr.ok()) {  // No usable key yet.
    SKERRY_ASSIGN_OR_RETURN(security::KeyAndCsr made, security::MakeKeyAndCsr(spec.subject));
    SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(key_file, made.key_pem, 0600));
    csr = std::move(made.csr_pem);
  }
  SKERRY_ASSIGN_OR_RETURN(std::string issued, ca_->SignCsr(*csr, spec));
  SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(certificate_file, issued, 0644));
  log_.Info("certificate issued",
            {{"why", why}, {"file", certificate_file}, {"common_name", spec.subject.common_name}});
  return absl::OkStatus();
}

absl::Status HubPki::WriteClients() {
  const std::string folder = options_.state_dir + "/clients";
  std::string copied = security::ReadSmallFile(folder + "/ca.crt").value_or("");
  // The copy of the CA is written last: where it is there and fits, everything was written once.
  if (copied == ca_->certificate_pem()) return absl::OkStatus();
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(folder, 0700));
  for (const Client& client : kClients) {
    std::string stem = absl::StrCat(folder, "/", client.file);
    SKERRY_RETURN_IF_ERROR(Ensure(stem + ".crt", stem + ".key", ClientSpec(client)));
  }
  return security::WriteFileAtomically(folder + "/ca.crt", ca_->certificate_pem(), 0644);
}

}  // namespace skerry::cloudhub
