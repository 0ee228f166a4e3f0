#include "services/standalone-api-svc/pki.h"

#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeclient/kubeconfig.h"
#include "services/lib/security/files.h"
#include "services/lib/security/server_names.h"
#include "services/lib/security/x509.h"

namespace skerry::standaloneapi {

struct Pki::Client {
  const char* file;
  const char* common_name;
  const char* organization;
};
constexpr Pki::Client Pki::kClients[] = {
    {"admin", "kubernetes-admin", "system:masters"},
    {"edge-controller", "system:edge-controller", "skerry:controllers"},
    {"device-controller", "system:device-controller", "skerry:controllers"},
    {"router", "system:router", "skerry:routers"},
    {"cloudhub", "system:cloudhub", "skerry:hubs"},
};

namespace {

std::string KubeconfigText(absl::string_view user, absl::string_view server,
                           absl::string_view ca_pem, const security::CertificateAndKey& issued) {
  return absl::StrCat(
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: skerry\n"
      "  cluster:\n"
      "    server: ",
      server, "\n    certificate-authority-data: ", absl::Base64Escape(ca_pem),
      "\n"
      "users:\n"
      "- name: ",
      user, "\n  user:\n    client-certificate-data: ", absl::Base64Escape(issued.certificate_pem),
      "\n    client-key-data: ", absl::Base64Escape(issued.key_pem),
      "\n"
      "contexts:\n"
      "- name: skerry\n"
      "  context:\n"
      "    cluster: skerry\n"
      "    user: ",
      user,
      "\n"
      "current-context: skerry\n");
}

}  // namespace

Pki::Pki(PkiOptions options, Clock& clock, log::Logger log)
    : options_(std::move(options)), clock_(clock), log_(std::move(log)) {
  const std::string folder = options_.state_dir + "/pki";
  files_ = {.ca = folder + "/ca.crt",
            .cert = folder + "/apiserver.crt",
            .key = folder + "/apiserver.key"};
  kubelet_client_ = {.ca = files_.ca,
                     .cert = folder + "/apiserver-kubelet-client.crt",
                     .key = folder + "/apiserver-kubelet-client.key"};
}

absl::StatusOr<std::unique_ptr<Pki>> Pki::Open(const PkiOptions& options, Clock& clock,
                                               const log::Logger& log) {
  std::unique_ptr<Pki> pki(new Pki(options, clock, log));
  const std::string folder = options.state_dir + "/pki";
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(folder, 0700));
  SKERRY_ASSIGN_OR_RETURN(pki->ca_, security::CertificateAuthority::LoadOrCreate(
                                        folder, "skerry-standalone-api", clock.Now()));
  SKERRY_RETURN_IF_ERROR(pki->KeepServing().status());
  SKERRY_RETURN_IF_ERROR(pki->KeepKubeletClient().status());
  return pki;
}

absl::StatusOr<security::RenewalReport> Pki::Renew(absl::string_view server) {
  security::RenewalReport report;
  report.expire_times["ca"] = ca_->end();
  SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate serving, KeepServing());
  report.Add("apiserver", serving);
  SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate kubelet_client, KeepKubeletClient());
  report.Add("apiserver-kubelet-client", kubelet_client);
  for (const Client& client : kClients) {
    SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate kept, KeepKubeconfig(client, server));
    report.Add(client.file, kept);
  }
  return report;
}

absl::StatusOr<security::KeptCertificate> Pki::KeepServing() {
  security::CertificateSpec spec = {
      .subject = {.common_name = "kube-apiserver"},
      .dns_names = {"kubernetes", "kubernetes.default", "kubernetes.default.svc"},
      .now = clock_.Now(),
      .lifetime = options_.certificate_lifetime,
      .for_server = true};
  security::AddServerNames(spec, options_.sans);
  return Keep(files_, spec);
}

absl::StatusOr<security::KeptCertificate> Pki::KeepKubeletClient() {
  return Keep(kubelet_client_, {.subject = {.common_name = "kube-apiserver-kubelet-client"},
                                .now = clock_.Now(),
                                .lifetime = options_.certificate_lifetime,
                                .for_client = true});
}

absl::StatusOr<security::KeptCertificate> Pki::Keep(const CertificateFiles& files,
                                                    const security::CertificateSpec& spec) {
  SKERRY_ASSIGN_OR_RETURN(security::KeptCertificate kept,
                          security::KeepCertificate(*ca_, files.cert, files.key, spec));
  security::LogIssued(log_, files.cert, kept);
  return kept;
}

absl::StatusOr<security::KeptCertificate> Pki::KeepKubeconfig(const Client& client,
                                                              absl::string_view server) {
  const security::CertificateSpec spec = {
      .subject = {.common_name = client.common_name, .organizations = {client.organization}},
      .now = clock_.Now(),
      .lifetime = options_.certificate_lifetime,
      .for_client = true};
  const std::string path = absl::StrCat(options_.kubeconfig_dir, "/", client.file, ".kubeconfig");
  const kubeclient::RestConfig present =
      kubeclient::LoadKubeconfig(path).value_or(kubeclient::RestConfig());
  security::KeptCertificate kept;
  kept.why = security::WhyRenew(present.cert_pem, present.key_pem, ca_pem(), spec);
  if (kept.why.empty() && present.ca_pem != ca_pem()) kept.why = "its CA is another";
  if (kept.why.empty() && absl::string_view(present.server) != server)
    kept.why = "the API's address has changed";
  std::string certificate = present.cert_pem;
  if (!kept.why.empty()) {
    SKERRY_ASSIGN_OR_RETURN(const security::CertificateAndKey issued, ca_->Issue(spec));
    SKERRY_RETURN_IF_ERROR(security::MakeFolder(options_.kubeconfig_dir, 0700));
    SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(
        path, KubeconfigText(client.file, server, ca_pem(), issued), 0600));
    certificate = issued.certificate_pem;
  }
  SKERRY_ASSIGN_OR_RETURN(kept.info, security::ParseCertificatePem(certificate));
  security::LogIssued(log_, path, kept);
  return kept;
}

}  // namespace skerry::standaloneapi
