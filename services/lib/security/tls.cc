#include "services/lib/security/tls.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
#include "services/lib/security/method_policy.h"
#include "services/lib/security/x509.h"

namespace skerry::security {
namespace {

constexpr unsigned kRefreshSeconds = 2;

absl::Status FileProblem(absl::string_view what, const std::string& path,
                         const absl::Status& status) {
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat(what, " file '", path, "': ", status.message()))
      .Reason("TLS_FILE_INVALID")
      .Meta("file", path);
}

absl::StatusOr<std::string> ReadTlsFile(absl::string_view what, const std::string& path) {
  if (path.empty())
    return InvalidField(absl::StrCat("tls ", what), "", "give the path of a PEM file");
  absl::StatusOr<std::string> content = ReadSmallFile(path);
  if (!content.ok()) return FileProblem(what, path, content.status());
  return content;
}

std::shared_ptr<grpc::experimental::CertificateProviderInterface> Watch(const TlsFiles& files) {
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      files.key, files.cert, files.ca, kRefreshSeconds);
}

// Runs for every call, after the handshake proved the certificate. Methods reach it as ":path".
class PolicyProcessor final : public grpc::AuthMetadataProcessor {
 public:
  explicit PolicyProcessor(MethodPolicy policy) : policy_(std::move(policy)) {}

  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata*,
                       OutputMetadata*) override {
    auto path = metadata.find(":path");
    std::vector<grpc::string_ref> pem =
        context->FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
    if (path == metadata.end() || pem.empty()) {
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED, "a client certificate is needed");
    }
    absl::StatusOr<CertificateInfo> info =
        ParseCertificatePem(absl::string_view(pem[0].data(), pem[0].size()));
    if (!info.ok())
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                          "the client certificate can't be read");
    absl::Status allowed = policy_.Check(
        absl::string_view(path->second.data(), path->second.size()), info->organizations);
    if (allowed.ok()) return grpc::Status::OK;
    return grpc::Status(grpc::StatusCode::PERMISSION_DENIED, std::string(allowed.message()));
  }

 private:
  const MethodPolicy policy_;
};

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files) {
  SKERRY_ASSIGN_OR_RETURN(std::string ca, ReadTlsFile("ca", files.ca));
  absl::Status good = ParseCertificatePem(ca).status();
  if (!good.ok()) return FileProblem("ca", files.ca, good);
  SKERRY_ASSIGN_OR_RETURN(std::string cert, ReadTlsFile("cert", files.cert));
  good = ParseCertificatePem(cert).status();
  if (!good.ok()) return FileProblem("cert", files.cert, good);
  SKERRY_ASSIGN_OR_RETURN(std::string key, ReadTlsFile("key", files.key));
  good = CheckKeyFitsCertificate(cert, key);
  if (!good.ok()) return FileProblem("key", files.key, good);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MutualTlsServer(const TlsFiles& files) {
  SKERRY_RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsServerCredentialsOptions options(Watch(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MutualTlsServer(const TlsFiles& files,
                                                                         MethodPolicy policy) {
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::ServerCredentials> credentials,
                          MutualTlsServer(files));
  credentials->SetAuthMetadataProcessor(std::make_shared<PolicyProcessor>(std::move(policy)));
  return credentials;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MutualTlsClient(const TlsFiles& files) {
  SKERRY_RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(Watch(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace skerry::security
