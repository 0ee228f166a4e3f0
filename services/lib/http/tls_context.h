// The server side of TLS for HTTP: an OpenSSL context from files, made anew when they change.
#ifndef SKERRY_SERVICES_LIB_HTTP_TLS_CONTEXT_H_
#define SKERRY_SERVICES_LIB_HTTP_TLS_CONTEXT_H_

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/http/server.h"
#include "services/lib/security/file_stamp.h"

struct ssl_ctx_st;
struct ssl_st;

namespace skerry::http {

using SslContext = std::shared_ptr<ssl_ctx_st>;

// TLS 1.2 and later, no session resumption (each connection proves its identity anew).
// INVALID_ARGUMENT tells the file and what is wrong with it.
absl::StatusOr<SslContext> MakeSslContext(const ServerOptions& options);

// The subject of the verified certificate of the peer; nullopt where none was sent.
std::optional<ClientCertificate> PeerCertificate(const ssl_st* ssl);

// Keeps the context up to date with its files. Used by one thread.
class ReloadingSslContext {
 public:
  static absl::StatusOr<std::unique_ptr<ReloadingSslContext>> Create(const ServerOptions& options);

  // The context for the next connection. Looks at the files' stamps; while new ones cannot be used
  // the last good context stays, and on_background_error hears of it once for each change.
  const SslContext& Current();

 private:
  using Stamps = std::array<security::FileStamp, 3>;

  ReloadingSslContext(const ServerOptions& options, Stamps stamps, SslContext context);
  static Stamps Look(const ServerOptions& options);

  const ServerOptions options_;
  Stamps stamps_;
  SslContext context_;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_TLS_CONTEXT_H_
