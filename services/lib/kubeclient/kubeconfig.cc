#include "services/lib/kubeclient/kubeconfig.h"

#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::kubeclient {
namespace {

constexpr size_t kFileBytesMax = 4u << 20;

Error Bad(absl::string_view origin, absl::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("kubeconfig ", origin, ": ", what))
      .Reason("KUBECONFIG_INVALID")
      .Meta("kubeconfig", origin);
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("cannot read ", path, ": check the path and its permissions"))
        .Reason("FILE_UNREADABLE")
        .Meta("path", path);
  }
  std::string text(kFileBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(in.gcount()));
  if (text.size() > kFileBytesMax)
    return absl::InvalidArgumentError(absl::StrCat(path, " is too large"));
  return text;
}

// Reads one kubeconfig; every accessor throws YAML::Exception on nodes of a wrong kind, caught in
// ParseKubeconfig.
class Reader {
 public:
  Reader(const YAML::Node& root, absl::string_view folder, absl::string_view origin)
      : root_(root), folder_(folder), origin_(origin) {}

  absl::StatusOr<RestConfig> Read(absl::string_view wanted) const {
    if (!root_.IsMap()) return Bad(origin_, "is not a YAML mapping");
    const std::string context_name =
        wanted.empty() ? Text(root_, "current-context") : std::string(wanted);
    if (context_name.empty())
      return Bad(origin_, "current-context is not set; set it or name a context");
    SKERRY_ASSIGN_OR_RETURN(YAML::Node context, Entry("contexts", "context", context_name));
    const std::string cluster_name = Text(context, "cluster");
    const std::string user_name = Text(context, "user");
    if (cluster_name.empty())
      return Bad(origin_, absl::StrCat("context '", context_name, "' names no cluster"));
    RestConfig config;
    if (std::string ns = Text(context, "namespace"); !ns.empty()) config.default_namespace = ns;
    SKERRY_ASSIGN_OR_RETURN(YAML::Node cluster, Entry("clusters", "cluster", cluster_name));
    SKERRY_RETURN_IF_ERROR(ReadCluster(cluster, cluster_name, config));
    if (!user_name.empty()) {
      SKERRY_ASSIGN_OR_RETURN(YAML::Node user, Entry("users", "user", user_name));
      SKERRY_RETURN_IF_ERROR(ReadUser(user, user_name, config));
    }
    return config;
  }

 private:
  static std::string Text(const YAML::Node& node, const char* key) {
    if (!node.IsMap() || !node[key] || node[key].IsNull()) return "";
    return node[key].as<std::string>();
  }

  std::string Path(const std::string& path) const {
    if (path.empty() || path[0] == '/') return path;
    return (std::filesystem::path(folder_) / path).string();
  }

  absl::StatusOr<YAML::Node> Entry(const char* list, const char* member,
                                   const std::string& name) const {
    const YAML::Node entries = root_[list];
    if (entries && entries.IsSequence()) {
      for (const YAML::Node& entry : entries) {
        if (Text(entry, "name") == name) return entry[member];
      }
    }
    return Bad(origin_, absl::StrCat("no entry named '", name, "' under ", list));
  }

  absl::StatusOr<std::string> Pem(const YAML::Node& node, const char* key,
                                  absl::string_view where) const {
    const std::string encoded = Text(node, key);
    std::string pem;
    if (!encoded.empty() && !absl::Base64Unescape(encoded, &pem)) {
      return Bad(origin_, absl::StrCat(where, ".", key, " is not valid base64"));
    }
    if (!pem.empty() && !absl::StrContains(pem, "-----BEGIN ")) {
      return Bad(origin_, absl::StrCat(where, ".", key, " holds no PEM block"));
    }
    return pem;
  }

  absl::Status CheckFile(const std::string& path, absl::string_view where) const {
    if (path.empty()) return absl::OkStatus();
    if (!std::ifstream(path)) return Bad(origin_, absl::StrCat(where, ": cannot read ", path));
    return absl::OkStatus();
  }

  absl::Status ReadCluster(const YAML::Node& node, const std::string& name,
                           RestConfig& config) const {
    const std::string where = absl::StrCat("cluster '", name, "'");
    config.server = std::string(absl::StripSuffix(Text(node, "server"), "/"));
    if (!absl::StartsWith(config.server, "https://") &&
        !absl::StartsWith(config.server, "http://")) {
      return Bad(origin_, absl::StrCat(where, ": server '", config.server,
                                       "' is not an http(s) URL such as https://10.0.0.1:6443"));
    }
    config.tls_server_name = Text(node, "tls-server-name");
    SKERRY_ASSIGN_OR_RETURN(config.ca_pem, Pem(node, "certificate-authority-data", where));
    config.ca_file = config.ca_pem.empty() ? Path(Text(node, "certificate-authority")) : "";
    config.insecure_skip_tls_verify = Text(node, "insecure-skip-tls-verify") == "true";
    return CheckFile(config.ca_file, absl::StrCat(where, ".certificate-authority"));
  }

  absl::Status ReadUser(const YAML::Node& node, const std::string& name, RestConfig& config) const {
    const std::string where = absl::StrCat("user '", name, "'");
    for (const char* refused :
         {"exec", "auth-provider", "username", "password", "as", "as-uid", "as-groups"}) {
      if (node.IsMap() && node[refused]) {
        return Bad(origin_,
                   absl::StrCat(where, ": '", refused,
                                "' is not supported; use a client certificate or a token"));
      }
    }
    SKERRY_ASSIGN_OR_RETURN(config.cert_pem, Pem(node, "client-certificate-data", where));
    SKERRY_ASSIGN_OR_RETURN(config.key_pem, Pem(node, "client-key-data", where));
    if (config.cert_pem.empty()) config.cert_file = Path(Text(node, "client-certificate"));
    if (config.key_pem.empty()) config.key_file = Path(Text(node, "client-key"));
    const bool has_cert = !config.cert_pem.empty() || !config.cert_file.empty();
    const bool has_key = !config.key_pem.empty() || !config.key_file.empty();
    if (has_cert != has_key) {
      return Bad(origin_,
                 absl::StrCat(where, ": client certificate and client key must be given together"));
    }
    SKERRY_RETURN_IF_ERROR(CheckFile(config.cert_file, absl::StrCat(where, ".client-certificate")));
    SKERRY_RETURN_IF_ERROR(CheckFile(config.key_file, absl::StrCat(where, ".client-key")));
    config.token = Text(node, "token");
    config.token_file = Path(Text(node, "tokenFile"));
    return CheckFile(config.token_file, absl::StrCat(where, ".tokenFile"));
  }

  const YAML::Node root_;
  const std::string folder_;
  const std::string origin_;
};

std::optional<std::string> Env(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace

absl::StatusOr<RestConfig> ParseKubeconfig(absl::string_view yaml, absl::string_view folder,
                                           absl::string_view origin, absl::string_view context) {
  try {
    return Reader(YAML::Load(std::string(yaml)), folder, origin).Read(context);
  } catch (const YAML::Exception& e) {
    return Bad(origin, absl::StrCat("line ", e.mark.line + 1, ": ", e.msg));
  }
}

absl::StatusOr<RestConfig> LoadKubeconfig(absl::string_view path, absl::string_view context) {
  SKERRY_ASSIGN_OR_RETURN(std::string text, ReadFile(std::string(path)));
  std::error_code ignored;
  const std::filesystem::path file = std::filesystem::absolute(std::string(path), ignored);
  return ParseKubeconfig(text, file.parent_path().string(), path, context);
}

absl::StatusOr<RestConfig> InClusterConfig(absl::string_view folder) {
  const std::optional<std::string> host = Env("KUBERNETES_SERVICE_HOST");
  const std::optional<std::string> port = Env("KUBERNETES_SERVICE_PORT");
  if (!host.has_value() || !port.has_value()) {
    return Error(absl::StatusCode::kInvalidArgument,
                 "no kubeconfig is given and this is not a pod (KUBERNETES_SERVICE_HOST and "
                 "KUBERNETES_SERVICE_PORT are not set): set 'kubeconfig'")
        .Reason("NOT_IN_CLUSTER");
  }
  RestConfig config;
  const bool ipv6 = absl::StrContains(*host, ":");
  config.server = ipv6 ? absl::StrCat("https://[", *host, "]:", *port)
                       : absl::StrCat("https://", *host, ":", *port);
  config.ca_file = absl::StrCat(folder, "/ca.crt");
  config.token_file = absl::StrCat(folder, "/token");
  SKERRY_RETURN_IF_ERROR(ReadFile(config.ca_file).status());
  SKERRY_RETURN_IF_ERROR(ReadFile(config.token_file).status());
  absl::StatusOr<std::string> ns = ReadFile(absl::StrCat(folder, "/namespace"));
  if (ns.ok() && !ns->empty()) config.default_namespace = *ns;
  return config;
}

absl::StatusOr<RestConfig> LoadRestConfig(absl::string_view kubeconfig_path) {
  return kubeconfig_path.empty() ? InClusterConfig() : LoadKubeconfig(kubeconfig_path);
}

}  // namespace skerry::kubeclient
