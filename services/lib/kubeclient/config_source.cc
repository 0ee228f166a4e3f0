#include "services/lib/kubeclient/config_source.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/x509.h"

namespace skerry::kubeclient {
namespace {

absl::Status ReadInto(std::string& pem, const std::string& file) {
  if (!pem.empty() || file.empty()) return absl::OkStatus();
  SKERRY_ASSIGN_OR_RETURN(pem, security::ReadSmallFile(file));
  return absl::OkStatus();
}

absl::Status Check(const RestConfig& config) {
  const bool secret = !config.token.empty() || !config.token_file.empty();
  if (secret && !absl::StartsWith(config.server, "https://")) {
    return Error(absl::StatusCode::kInvalidArgument,
                 absl::StrCat("a bearer token would travel in plain text to ", config.server,
                              ": use https"))
        .Reason("TOKEN_OVER_PLAINTEXT");
  }
  if (config.cert_pem.empty()) return absl::OkStatus();
  return Annotate(security::CheckKeyFitsCertificate(config.cert_pem, config.key_pem),
                  "client certificate");
}

}  // namespace

ConfigSource::ConfigSource(std::string kubeconfig_path, Load load, log::Logger log)
    : kubeconfig_path_(std::move(kubeconfig_path)), load_(std::move(load)), log_(std::move(log)) {}

absl::StatusOr<std::unique_ptr<ConfigSource>> ConfigSource::Open(absl::string_view kubeconfig_path,
                                                                 const log::Logger& log) {
  std::string path(kubeconfig_path);
  return Make(
      path, [path] { return LoadRestConfig(path); }, log);
}

absl::StatusOr<std::unique_ptr<ConfigSource>> ConfigSource::Of(const RestConfig& config,
                                                               const log::Logger& log) {
  return Make(
      "", [config]() -> absl::StatusOr<RestConfig> { return config; }, log);
}

absl::StatusOr<std::unique_ptr<ConfigSource>> ConfigSource::Make(std::string kubeconfig_path,
                                                                 Load load,
                                                                 const log::Logger& log) {
  std::unique_ptr<ConfigSource> source(
      new ConfigSource(std::move(kubeconfig_path), std::move(load), log));
  absl::MutexLock lock(&source->mutex_);
  SKERRY_RETURN_IF_ERROR(source->Read());
  return source;
}

std::shared_ptr<const RestConfig> ConfigSource::Current() {
  absl::MutexLock lock(&mutex_);
  const bool changed = std::any_of(watched_.begin(), watched_.end(), [](const Watched& watched) {
    return security::StampOf(watched.path) != watched.stamp;
  });
  if (!changed) return current_;
  const absl::Status read = Read();
  if (read.ok()) {
    log_.Info("credentials of the Kubernetes API read again", {{"server", current_->server}});
  } else {
    log_.Warning("changed credentials of the Kubernetes API cannot be used, the old ones stay",
                 read);
  }
  return current_;
}

absl::Status ConfigSource::Read() {
  // Stamps are taken before the content is read: what changes in between is read once more. Where
  // the kubeconfig names no files because it cannot be read, those it named last are looked at.
  std::vector<Watched> seen;
  const auto see = [&seen](const std::string& path) {
    if (!path.empty()) seen.push_back({path, security::StampOf(path)});
  };
  see(kubeconfig_path_);
  absl::StatusOr<RestConfig> config = load_();
  const RestConfig& named = config.ok() ? *config : current_ == nullptr ? RestConfig() : *current_;
  for (const std::string* file : {&named.ca_file, &named.cert_file, &named.key_file}) see(*file);
  watched_ = std::move(seen);
  SKERRY_RETURN_IF_ERROR(config.status());
  SKERRY_RETURN_IF_ERROR(ReadInto(config->ca_pem, config->ca_file));
  SKERRY_RETURN_IF_ERROR(ReadInto(config->cert_pem, config->cert_file));
  SKERRY_RETURN_IF_ERROR(ReadInto(config->key_pem, config->key_file));
  SKERRY_RETURN_IF_ERROR(Check(*config));
  current_ = std::make_shared<const RestConfig>(*std::move(config));
  return absl::OkStatus();
}

}  // namespace skerry::kubeclient
