// How to reach an API server and who we are there.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_KUBECONFIG_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_KUBECONFIG_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::kubeclient {

// Of a credential given as data (PEM) and as a file, the data counts, as in client-go. ConfigSource
// follows the files.
struct RestConfig {
  std::string server;  // "https://10.0.0.1:6443", without a trailing slash.
  std::string tls_server_name;
  std::string ca_pem;
  std::string ca_file;
  bool insecure_skip_tls_verify = false;
  std::string cert_pem;
  std::string cert_file;
  std::string key_pem;
  std::string key_file;
  std::string token;
  std::string token_file;
  std::string default_namespace = "default";
};

// The current context (or `context`, if not empty) of a kubeconfig file. INVALID_ARGUMENT names the
// file, what is missing or wrong, and the fix. Relative paths count from the file's folder. exec
// and auth-provider plugins, basic authentication and impersonation are refused by name.
absl::StatusOr<RestConfig> LoadKubeconfig(absl::string_view path, absl::string_view context = "");
// The same from text; `folder` is where relative paths count from, `origin` is for messages.
absl::StatusOr<RestConfig> ParseKubeconfig(absl::string_view yaml, absl::string_view folder,
                                           absl::string_view origin,
                                           absl::string_view context = "");

// A pod's own credentials: KUBERNETES_SERVICE_HOST and _PORT, and the service account files in
// `folder`.
absl::StatusOr<RestConfig> InClusterConfig(
    absl::string_view folder = "/var/run/secrets/kubernetes.io/serviceaccount");

// The file if a path is given, else the pod's own.
absl::StatusOr<RestConfig> LoadRestConfig(absl::string_view kubeconfig_path);

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_KUBECONFIG_H_
