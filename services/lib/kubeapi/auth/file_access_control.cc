#include "services/lib/kubeapi/auth/file_access_control.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/auth/reloading_file.h"
#include "services/lib/kubeapi/auth/token_table.h"

namespace skerry::kubeapi {
namespace {

class AuthMetrics {
 public:
  explicit AuthMetrics(metrics::Registry& registry)
      : certificate(Authentications(registry, "certificate")),
        token(Authentications(registry, "token")),
        anonymous(Authentications(registry, "anonymous")),
        refused(Authentications(registry, "refused")),
        allowed(Decisions(registry, "allowed")),
        denied(Decisions(registry, "denied")),
        policy_loaded(Reloads(registry, "policy", "ok")),
        policy_failed(Reloads(registry, "policy", "error")),
        tokens_loaded(Reloads(registry, "tokens", "ok")),
        tokens_failed(Reloads(registry, "tokens", "error")) {}

  prometheus::Counter& certificate;
  prometheus::Counter& token;
  prometheus::Counter& anonymous;
  prometheus::Counter& refused;
  prometheus::Counter& allowed;
  prometheus::Counter& denied;
  prometheus::Counter& policy_loaded;
  prometheus::Counter& policy_failed;
  prometheus::Counter& tokens_loaded;
  prometheus::Counter& tokens_failed;

 private:
  static prometheus::Counter& Authentications(metrics::Registry& registry, const char* method) {
    return registry.Counter("skerry_kubeapi_authentications_total",
                            "Requests by how their caller was known.", {{"method", method}});
  }
  static prometheus::Counter& Decisions(metrics::Registry& registry, const char* decision) {
    return registry.Counter("skerry_kubeapi_authorizations_total", "Decisions of the policy.",
                            {{"decision", decision}});
  }
  static prometheus::Counter& Reloads(metrics::Registry& registry, const char* file,
                                      const char* result) {
    return registry.Counter("skerry_kubeapi_auth_reloads_total",
                            "Policy and token files read again after a change.",
                            {{"file", file}, {"result", result}});
  }
};

// The token of "Bearer <token>", or empty.
absl::string_view BearerToken(absl::string_view header) {
  constexpr absl::string_view kScheme = "bearer ";
  if (!absl::StartsWithIgnoreCase(header, kScheme)) return {};
  return absl::StripAsciiWhitespace(header.substr(kScheme.size()));
}

Caller CertificateCaller(const http::ClientCertificate& certificate) {
  Caller caller{.name = certificate.common_name, .groups = certificate.organizations};
  caller.groups.emplace_back("system:authenticated");
  return caller;
}

}  // namespace

struct FileAccessControl::Impl {
  Impl(const FileAccessOptions& access_options, log::Logger logger, metrics::Registry& registry,
       Clock* wall_clock)
      : options(access_options), log(std::move(logger)), metrics(registry), clock(wall_clock) {}

  const FileAccessOptions options;
  const log::Logger log;
  AuthMetrics metrics;
  Clock* const clock;
  std::unique_ptr<ReloadingFile<Policy>> policy;
  std::unique_ptr<ReloadingFile<TokenTable>> tokens;  // Null: none.

  void Reloaded(const char* file, const absl::Status& status, prometheus::Counter& loaded,
                prometheus::Counter& failed) {
    (status.ok() ? loaded : failed).Increment();
    if (status.ok()) {
      log.Info("access file read again", {{"file", file}});
    } else {
      log.Error("changed access file cannot be used, the last good one stays in use", status,
                {{"file", file}});
    }
  }
};

absl::StatusOr<std::unique_ptr<FileAccessControl>> FileAccessControl::Create(
    const FileAccessOptions& options, log::Logger log, metrics::Registry& registry, Clock* clock) {
  auto impl = std::make_unique<Impl>(options, std::move(log), registry, clock);
  Impl* const raw = impl.get();
  SKERRY_ASSIGN_OR_RETURN(
      impl->policy, ReloadingFile<Policy>::Open(
                        options.policy_file, &Policy::Parse, [raw](const absl::Status& status) {
                          raw->Reloaded("policy", status, raw->metrics.policy_loaded,
                                        raw->metrics.policy_failed);
                        }));
  if (!options.token_file.empty()) {
    SKERRY_ASSIGN_OR_RETURN(
        impl->tokens, ReloadingFile<TokenTable>::Open(options.token_file, &TokenTable::Parse,
                                                      [raw](const absl::Status& status) {
                                                        raw->Reloaded("tokens", status,
                                                                      raw->metrics.tokens_loaded,
                                                                      raw->metrics.tokens_failed);
                                                      }));
  }
  return std::unique_ptr<FileAccessControl>(new FileAccessControl(std::move(impl)));
}

FileAccessControl::FileAccessControl(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileAccessControl::~FileAccessControl() = default;

absl::StatusOr<Caller> FileAccessControl::Authenticate(const http::Request& request) {
  if (request.client.has_value() && !request.client->common_name.empty()) {
    impl_->metrics.certificate.Increment();
    return CertificateCaller(*request.client);
  }
  const std::string header = request.Header("authorization");
  absl::Status refusal = absl::UnauthenticatedError("no credentials were given");
  if (!header.empty()) {
    const absl::string_view token = BearerToken(header);
    if (!token.empty()) {
      absl::StatusOr<TokenOwner> owner = Review(token, {});
      if (owner.ok()) {
        impl_->metrics.token.Increment();
        return std::move(owner->caller);
      }
      refusal = owner.status();
    } else {
      refusal = absl::UnauthenticatedError("these credentials are of no known kind");
    }
  } else if (std::find(impl_->options.anonymous_paths.begin(), impl_->options.anonymous_paths.end(),
                       request.path) != impl_->options.anonymous_paths.end()) {
    impl_->metrics.anonymous.Increment();
    return Caller{.name = "system:anonymous", .groups = {"system:unauthenticated"}};
  }
  impl_->metrics.refused.Increment();
  return refusal;
}

absl::StatusOr<TokenOwner> FileAccessControl::Review(absl::string_view token,
                                                     const std::vector<std::string>& audiences) {
  absl::Status refusal = absl::UnauthenticatedError("the token is not known");
  const bool for_api = audiences.empty() || std::find(audiences.begin(), audiences.end(),
                                                      kApiAudience) != audiences.end();
  if (impl_->tokens != nullptr && for_api) {
    absl::StatusOr<Caller> caller = impl_->tokens->Current()->Find(token, impl_->clock->Now());
    if (caller.ok()) return TokenOwner{*std::move(caller), {kApiAudience}};
    refusal = caller.status();
  }
  if (impl_->options.service_accounts == nullptr) return refusal;
  return impl_->options.service_accounts->Find(token, audiences);
}

bool FileAccessControl::Allows(const Caller& caller, const RequestInfo& info) {
  return Authorize(caller, info).allowed;
}

Decision FileAccessControl::Authorize(const Caller& caller, const RequestInfo& info) {
  Decision decision = impl_->policy->Current()->Authorize(caller, info);
  (decision.allowed ? impl_->metrics.allowed : impl_->metrics.denied).Increment();
  return decision;
}

}  // namespace skerry::kubeapi
