#include "services/standalone-api-svc/pki.h"

#include <arpa/inet.h>
#include <unistd.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"

namespace skerry::standaloneapi {
namespace {

bool IsIp(const std::string& text) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, text.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, text.c_str(), bytes) == 1;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

}  // namespace

absl::StatusOr<std::unique_ptr<Pki>> Pki::Open(const std::string& state_dir, absl::Time now) {
  const std::string folder = state_dir + "/pki";
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(folder, 0700));
  SKERRY_ASSIGN_OR_RETURN(
      std::unique_ptr<security::CertificateAuthority> ca,
      security::CertificateAuthority::LoadOrCreate(folder, "skerry-standalone-api", now));
  return std::unique_ptr<Pki>(new Pki(folder, std::move(ca)));
}

absl::StatusOr<ServingFiles> Pki::IssueServing(const std::vector<std::string>& sans,
                                               absl::Time now) const {
  security::CertificateSpec spec;
  spec.subject.common_name = "kube-apiserver";
  spec.dns_names = {"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"};
  spec.ip_addresses = {"127.0.0.1", "::1"};
  const std::string host = HostName();
  if (!host.empty() && !IsIp(host)) spec.dns_names.push_back(host);
  for (const std::string& san : sans)
    (IsIp(san) ? spec.ip_addresses : spec.dns_names).push_back(san);
  spec.now = now;
  spec.for_server = true;
  SKERRY_ASSIGN_OR_RETURN(const security::CertificateAndKey issued, ca_->Issue(spec));
  const ServingFiles files = {folder_ + "/ca.crt", folder_ + "/apiserver.crt",
                              folder_ + "/apiserver.key"};
  SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(files.key, issued.key_pem, 0600));
  SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(files.cert, issued.certificate_pem, 0644));
  return files;
}

absl::Status Pki::WriteKubeconfig(const std::string& folder, absl::string_view name,
                                  absl::string_view server, absl::string_view common_name,
                                  absl::string_view organization, absl::Time now) const {
  security::CertificateSpec spec;
  spec.subject.common_name = std::string(common_name);
  spec.subject.organizations = {std::string(organization)};
  spec.now = now;
  spec.for_client = true;
  SKERRY_ASSIGN_OR_RETURN(const security::CertificateAndKey issued, ca_->Issue(spec));
  const std::string text = absl::StrCat(
      "apiVersion: v1\n"
      "kind: Config\n"
      "clusters:\n"
      "- name: skerry\n"
      "  cluster:\n"
      "    server: ",
      server, "\n    certificate-authority-data: ", absl::Base64Escape(ca_pem()),
      "\n"
      "users:\n"
      "- name: ",
      name, "\n  user:\n    client-certificate-data: ", absl::Base64Escape(issued.certificate_pem),
      "\n    client-key-data: ", absl::Base64Escape(issued.key_pem),
      "\n"
      "contexts:\n"
      "- name: skerry\n"
      "  context:\n"
      "    cluster: skerry\n"
      "    user: ",
      name,
      "\n"
      "current-context: skerry\n");
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(folder, 0700));
  return security::WriteFileAtomically(absl::StrCat(folder, "/", name, ".kubeconfig"), text, 0600);
}

}  // namespace skerry::standaloneapi
