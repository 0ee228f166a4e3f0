#include "services/lib/rpc/admission.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/security/x509.h"

namespace skerry::rpc {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::InterceptorBatchMethods;
using grpc::experimental::ServerRpcInfo;

constexpr absl::string_view kScheme = "bearer ";
constexpr size_t kTokenBytesMax = 16u << 10;

absl::Status Unauthenticated(absl::string_view message, absl::string_view reason) {
  return Error(absl::StatusCode::kUnauthenticated, message).Reason(reason);
}

// Of "authorization: Bearer <token>".
absl::StatusOr<std::string> TokenOf(
    const std::multimap<grpc::string_ref, grpc::string_ref>& metadata) {
  const auto [begin, end] = metadata.equal_range("authorization");
  if (begin == end) {
    return Unauthenticated(
        "no credentials: show a client certificate, or send \"authorization: Bearer <token>\"",
        "CREDENTIALS_MISSING");
  }
  const absl::string_view header(begin->second.data(), begin->second.size());
  if (std::next(begin) != end || !absl::StartsWithIgnoreCase(header, kScheme)) {
    return Unauthenticated("metadata \"authorization\" must be one \"Bearer <token>\"",
                           "TOKEN_INVALID");
  }
  const absl::string_view token = absl::StripAsciiWhitespace(header.substr(kScheme.size()));
  if (token.empty() || token.size() > kTokenBytesMax) {
    return Unauthenticated(
        absl::StrCat("the token has ", token.size(), " bytes: it must have 1 to ", kTokenBytesMax),
        "TOKEN_INVALID");
  }
  return std::string(token);
}

absl::Status CheckUser(const security::MethodPolicy& policy, absl::string_view method,
                       const PeerIdentity& peer) {
  if (peer.organizations.empty()) {
    return Error(absl::StatusCode::kPermissionDenied,
                 absl::StrCat("user '", peer.common_name,
                              "' is bound to no organization: bind it, or one of its groups, by "
                              "auth.bearer.users or auth.bearer.groups of this service"))
        .Reason("USER_UNBOUND")
        .Meta("user", peer.common_name);
  }
  return policy.Check(method, peer.organizations);
}

// One a call. Held until the verdict is there.
class AdmissionInterceptor final : public grpc::experimental::Interceptor {
 public:
  AdmissionInterceptor(const security::MethodPolicy& policy, security::TokenAuthenticator* tokens,
                       ServerRpcInfo* info)
      : policy_(policy), tokens_(tokens), info_(info) {}

  void Intercept(InterceptorBatchMethods* methods) override {
    if (!methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_INITIAL_METADATA)) {
      return methods->Proceed();
    }
    verdict_.peer = CertificatePeer(*info_->server_context());
    if (!verdict_.peer.key_hash.empty()) {
      verdict_.refusal = policy_.Check(info_->method(), verdict_.peer.organizations);
      return Decided(methods);
    }
    if (tokens_ == nullptr) {
      verdict_.refusal =
          Unauthenticated("the client certificate can't be read", "CREDENTIALS_MISSING");
      return Decided(methods);
    }
    absl::StatusOr<std::string> token = TokenOf(*methods->GetRecvInitialMetadata());
    if (!token.ok()) {
      verdict_.refusal = token.status();
      return Decided(methods);
    }
    tokens_->Authenticate(*token, [this, methods](absl::StatusOr<security::TokenIdentity> who) {
      if (who.ok()) {
        verdict_.peer.common_name = std::move(who->user);
        verdict_.peer.organizations = std::move(who->organizations);
        verdict_.refusal = CheckUser(policy_, info_->method(), verdict_.peer);
      } else {
        verdict_.refusal = who.status();
      }
      Decided(methods);
    });
  }

 private:
  void Decided(InterceptorBatchMethods* methods) {
    grpc_call* const call = info_->server_context()->c_call();
    // The one place of a call that a client cannot write to. Nothing here uses OpenCensus.
    grpc_census_call_set_context(call, reinterpret_cast<census_context*>(&verdict_));
    if (!verdict_.refusal.ok() && absl::StartsWith(info_->method(), "/grpc.")) {
      // The handler sees a call that has ended.
      grpc_call_cancel_with_status(call, static_cast<grpc_status_code>(verdict_.refusal.raw_code()),
                                   std::string(verdict_.refusal.message()).c_str(), nullptr);
    }
    methods->Proceed();
  }

  const security::MethodPolicy& policy_;
  security::TokenAuthenticator* const tokens_;
  ServerRpcInfo* const info_;  // Owns this.
  CallVerdict verdict_;
};

class AdmissionFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  AdmissionFactory(security::MethodPolicy policy, security::TokenAuthenticator* tokens)
      : policy_(std::move(policy)), tokens_(tokens) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(ServerRpcInfo* info) override {
    return new AdmissionInterceptor(policy_, tokens_, info);
  }

 private:
  const security::MethodPolicy policy_;
  security::TokenAuthenticator* const tokens_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeAdmission(
    security::MethodPolicy policy, security::TokenAuthenticator* tokens) {
  return std::make_unique<AdmissionFactory>(std::move(policy), tokens);
}

const CallVerdict* VerdictOf(const grpc::ServerContextBase& context) {
  return reinterpret_cast<const CallVerdict*>(context.census_context());
}

PeerIdentity CertificatePeer(const grpc::ServerContextBase& context) {
  PeerIdentity peer;
  peer.address = context.peer();
  std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) return peer;
  std::vector<grpc::string_ref> pem = auth->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (pem.empty()) return peer;
  // The handshake verified the chain; here it is only read.
  absl::StatusOr<security::CertificateInfo> info =
      security::ParseCertificatePem(absl::string_view(pem[0].data(), pem[0].size()));
  if (!info.ok()) return peer;
  peer.common_name = std::move(info->common_name);
  peer.organizations = std::move(info->organizations);
  peer.key_hash = std::move(info->key_sha256_hex);
  return peer;
}

}  // namespace skerry::rpc
