#include "tools/skerryctl/node_files.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"

namespace skerry::skerryctl {
namespace {

// A YAML double-quoted scalar.
std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

constexpr char kHead[] =
    "# Written by skerryctl join; your changes are kept unless you join with --force.\n";

std::string EdgeHubYaml(const NodeLayout& layout, const NodeIdentity& identity) {
  return absl::StrCat(kHead, "run_dir: ", Quoted(layout.run_dir),
                      "\nstate_dir: ", Quoted(layout.state_dir),
                      "\ncloud:\n  address: ", Quoted(identity.link_address),
                      "\n  join_address: ", Quoted(identity.join_address),
                      "\ntls:\n  ca: ", Quoted(layout.folder + "/ca.crt"),
                      "\n  identity: ", Quoted(layout.folder + "/node.pem"), "\n");
}

// Services that need no more.
std::string FoldersYaml(const NodeLayout& layout) {
  return absl::StrCat(kHead, "run_dir: ", Quoted(layout.run_dir),
                      "\nstate_dir: ", Quoted(layout.state_dir), "\n");
}

std::string EdgedYaml(const NodeLayout& layout, const NodeIdentity& identity) {
  return absl::StrCat(kHead, "run_dir: ", Quoted(layout.run_dir),
                      "\nstate_dir: ", Quoted(layout.state_dir),
                      "\nnode:\n  name: ", Quoted(identity.node),
                      "\nruntime:\n  endpoint: ", Quoted(layout.runtime_endpoint), "\n");
}

std::string EventbusYaml(const NodeLayout& layout, const NodeIdentity& identity) {
  return absl::StrCat(FoldersYaml(layout), "node:\n  name: ", Quoted(identity.node),
                      "\nmqtt:\n  broker: ", Quoted(layout.mqtt_broker), "\n");
}

std::string ServicebusYaml(const NodeLayout& layout) {
  return absl::StrCat(kHead, "run_dir: ", Quoted(layout.run_dir),
                      "\n# What the cloud may call on this box: nothing. KubeEdge's way would be "
                      "[\"http://127.0.0.1:*/\"].\ncalls:\n  allowed: []\n");
}

absl::Status WriteConfig(const std::string& path, const std::string& content, bool overwrite) {
  if (!overwrite && access(path.c_str(), F_OK) == 0) return absl::OkStatus();
  return security::WriteFileAtomically(path, content, 0644);
}

std::string ProblemOf(const std::string& identity, const std::string& ca, absl::Time now) {
  absl::Status fits = security::CheckKeyFitsCertificate(identity, identity);
  if (!fits.ok()) return std::string(fits.message());
  absl::Status chain = security::VerifyChain(identity, ca, now);
  return chain.ok() ? "" : std::string(chain.message());
}

}  // namespace

absl::StatusOr<std::optional<ExistingIdentity>> FindIdentity(const std::string& folder,
                                                             absl::Time now) {
  absl::StatusOr<std::string> identity = security::ReadSmallFile(folder + "/node.pem");
  if (absl::IsNotFound(identity.status())) return std::nullopt;
  SKERRY_RETURN_IF_ERROR(identity.status());
  ExistingIdentity existing;
  std::string ca = security::ReadSmallFile(folder + "/ca.crt").value_or("");
  absl::StatusOr<security::CertificateInfo> info = security::ParseCertificatePem(*identity);
  if (!info.ok()) {
    existing.problem = absl::StrCat(folder, "/node.pem: ", info.status().message());
    return existing;
  }
  existing.certificate = *std::move(info);
  absl::StatusOr<security::CertificateInfo> ca_info = security::ParseCertificatePem(ca);
  if (ca_info.ok()) existing.ca_hash = ca_info->sha256_hex;
  existing.problem = ProblemOf(*identity, ca, now);
  return existing;
}

absl::Status WriteNodeFiles(const NodeLayout& layout, const NodeIdentity& identity,
                            bool overwrite) {
  const std::string& folder = layout.folder;
  SKERRY_RETURN_IF_ERROR(security::MakeFolder(folder, 0755));
  SKERRY_RETURN_IF_ERROR(
      WriteConfig(folder + "/edgehub.yaml", EdgeHubYaml(layout, identity), overwrite));
  SKERRY_RETURN_IF_ERROR(WriteConfig(folder + "/edge-meta.yaml", FoldersYaml(layout), overwrite));
  SKERRY_RETURN_IF_ERROR(WriteConfig(folder + "/twin.yaml", FoldersYaml(layout), overwrite));
  SKERRY_RETURN_IF_ERROR(
      WriteConfig(folder + "/eventbus.yaml", EventbusYaml(layout, identity), overwrite));
  SKERRY_RETURN_IF_ERROR(
      WriteConfig(folder + "/servicebus.yaml", ServicebusYaml(layout), overwrite));
  SKERRY_RETURN_IF_ERROR(
      WriteConfig(folder + "/edged.yaml", EdgedYaml(layout, identity), overwrite));
  SKERRY_RETURN_IF_ERROR(security::WriteFileAtomically(folder + "/ca.crt", identity.ca_pem, 0644));
  return security::WriteFileAtomically(
      folder + "/node.pem", absl::StrCat(identity.certificate_pem, identity.key_pem), 0600);
}

}  // namespace skerry::skerryctl
