// The files that make a box a node: identity and configuration of the edge services.
#ifndef SKERRY_TOOLS_SKERRYCTL_NODE_FILES_H_
#define SKERRY_TOOLS_SKERRYCTL_NODE_FILES_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/security/x509.h"

namespace skerry::skerryctl {

struct NodeLayout {
  // ca.crt, node.pem (certificate and key; 0600), edgehub.yaml, edge-meta.yaml,
  // twin.yaml, eventbus.yaml, edged.yaml.
  std::string folder = "/etc/skerry";
  std::string run_dir = "/run/skerry";
  std::string state_dir = "/var/lib/skerry";
  std::string runtime_endpoint = "unix:///run/containerd/containerd.sock";
  std::string mqtt_broker = "tcp://127.0.0.1:1883";
};

struct NodeIdentity {
  std::string node;
  std::string ca_pem;
  std::string certificate_pem;
  std::string key_pem;
  std::string link_address;
  std::string join_address;  // "host:port".
};

// What the folder says of an earlier join.
struct ExistingIdentity {
  security::CertificateInfo certificate;
  std::string ca_hash;
  // Why it is of no use now; empty if it is good: the certificate chains to the CA, is in its time,
  // and the key is its own.
  std::string problem;
};
// nullopt where there is none. Errors only where files can't be read.
absl::StatusOr<std::optional<ExistingIdentity>> FindIdentity(const std::string& folder,
                                                             absl::Time now);

// Writes everything, each file atomically, certificate and key last and as one: a join that broke
// off leaves the earlier identity, or none. Configuration files that are there are kept unless
// `overwrite`.
absl::Status WriteNodeFiles(const NodeLayout& layout, const NodeIdentity& identity, bool overwrite);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_NODE_FILES_H_
