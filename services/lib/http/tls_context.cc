#include "services/lib/http/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::http {
namespace {

// Takes OpenSSL's error queue along.
absl::Status FileError(absl::string_view what, const std::string& file) {
  const unsigned long code = ERR_peek_last_error();  // NOLINT(google-runtime-int): OpenSSL's type
  char text[256] = "unknown error";
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return Error(absl::StatusCode::kInvalidArgument,
               absl::StrCat("cannot use ", what, " ", file, ": ", text))
      .Reason("TLS_FILE_UNUSABLE")
      .Meta("file", file);
}

// Overlooks that a client's own certificate has expired, and nothing else.
int AcceptExpired(int good, X509_STORE_CTX* store) {
  if (good == 1 || X509_STORE_CTX_get_error(store) != X509_V_ERR_CERT_HAS_EXPIRED ||
      X509_STORE_CTX_get_error_depth(store) != 0) {
    return good;
  }
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

absl::Status LoadClientCa(SSL_CTX* context, const ServerOptions& options) {
  if (options.client_certificates == ClientCertificates::kNone) return absl::OkStatus();
  const char* file = options.client_ca_file.c_str();
  if (options.client_ca_file.empty()) {
    return absl::InvalidArgumentError(
        "client certificates need a file with the CA that issues them");
  }
  if (SSL_CTX_load_verify_locations(context, file, nullptr) != 1) {
    return FileError("the client CA", options.client_ca_file);
  }
  // Clients with several certificates choose by these names.
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(file);
  if (names == nullptr) return FileError("the client CA", options.client_ca_file);
  SSL_CTX_set_client_CA_list(context, names);
  int mode = SSL_VERIFY_PEER;
  if (options.client_certificates == ClientCertificates::kRequired)
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, mode, options.accept_expired_clients ? AcceptExpired : nullptr);
  return absl::OkStatus();
}

std::string ToUtf8(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string value(reinterpret_cast<char*>(text), static_cast<size_t>(size));
  OPENSSL_free(text);
  return value;
}

std::string ToPem(X509* certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> bio(BIO_new(BIO_s_mem()), BIO_free_all);
  char* data = nullptr;
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), certificate) != 1) return {};
  const auto size = static_cast<size_t>(BIO_get_mem_data(bio.get(), &data));
  return {data, size};
}

}  // namespace

absl::StatusOr<SslContext> MakeSslContext(const ServerOptions& options) {
  ERR_clear_error();
  SslContext context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (context == nullptr) return absl::InternalError("cannot make a TLS context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  // Idle connections (watches) give their buffers back.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_use_certificate_chain_file(context.get(), options.cert_file.c_str()) != 1) {
    return FileError("the certificate", options.cert_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), options.key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context.get()) != 1) {
    return FileError("the key", options.key_file);
  }
  SKERRY_RETURN_IF_ERROR(LoadClientCa(context.get(), options));
  return context;
}

std::optional<ClientCertificate> PeerCertificate(const ssl_st* ssl) {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl),
                                                                X509_free);
  if (certificate == nullptr || SSL_get_verify_result(ssl) != X509_V_OK) return std::nullopt;
  ClientCertificate client;
  client.pem = ToPem(certificate.get());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const X509_NAME_ENTRY* entry = X509_NAME_get_entry(subject, i);
    switch (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry))) {
      case NID_commonName:  // The last one counts, as in kube-apiserver.
        client.common_name = ToUtf8(entry);
        break;
      case NID_organizationName:
        client.organizations.push_back(ToUtf8(entry));
        break;
      default:
        break;
    }
  }
  return client;
}

absl::StatusOr<std::unique_ptr<ReloadingSslContext>> ReloadingSslContext::Create(
    const ServerOptions& options) {
  const Stamps stamps = Look(options);
  SKERRY_ASSIGN_OR_RETURN(SslContext context, MakeSslContext(options));
  return std::unique_ptr<ReloadingSslContext>(
      new ReloadingSslContext(options, stamps, std::move(context)));
}

ReloadingSslContext::ReloadingSslContext(const ServerOptions& options, Stamps stamps,
                                         SslContext context)
    : options_(options), stamps_(stamps), context_(std::move(context)) {}

const SslContext& ReloadingSslContext::Current() {
  const Stamps now = Look(options_);
  if (now == stamps_) return context_;
  stamps_ = now;
  absl::StatusOr<SslContext> fresh = MakeSslContext(options_);
  if (fresh.ok()) {
    context_ = *std::move(fresh);
  } else if (options_.on_background_error) {
    options_.on_background_error(
        Annotate(fresh.status(), "changed TLS files, the old ones stay in use"));
  }
  return context_;
}

ReloadingSslContext::Stamps ReloadingSslContext::Look(const ServerOptions& options) {
  return {security::StampOf(options.cert_file), security::StampOf(options.key_file),
          security::StampOf(options.client_ca_file)};
}

}  // namespace skerry::http
