#include "services/lib/security/tls.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/security/files.h"
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

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MutualTlsServer(
    const TlsFiles& files, ClientCertificates certificates) {
  SKERRY_RETURN_IF_ERROR(CheckTlsFiles(files));
  grpc::experimental::TlsServerCredentialsOptions options(Watch(files));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(certificates == ClientCertificates::kRequired
                                    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                    : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
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
