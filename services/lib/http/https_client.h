// One HTTPS request: for what calls seldom and keeps no connection.
#ifndef SKERRY_SERVICES_LIB_HTTP_HTTPS_CLIENT_H_
#define SKERRY_SERVICES_LIB_HTTP_HTTPS_CLIENT_H_

#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::http {

struct HttpsRequest {
  std::string url;
  std::string ca_pem;  // The only root that is trusted. Empty: the server is not verified at all.
  std::string server_name;   // Expected in the server's certificate; empty: the host of `url`.
  std::string identity_pem;  // Our certificate and its key; empty: none is shown.
  std::vector<std::string> headers;  // "Name: value".
  std::string body;                  // Sent with POST if not empty, else GET.
  absl::Duration timeout = absl::Seconds(15);
  std::stop_token stop;  // Ends the call at once, with CANCELLED.
};

struct HttpsResponse {
  int status = 0;
  std::string body;  // At most 256 KiB.
};

// One thread at a time.
class HttpsClient {
 public:
  virtual ~HttpsClient() = default;
  // Blocks. An answer of any status is OK. UNAVAILABLE with reason RESOLVE_FAILED, CONNECT_FAILED,
  // TIMED_OUT, TLS_FAILED, TLS_UNTRUSTED or ANSWER_TOO_LARGE; INVALID_ARGUMENT for a URL or a
  // header that is none.
  virtual absl::StatusOr<HttpsResponse> Call(const HttpsRequest& request) = 0;
};

// Over Boost.Beast and OpenSSL.
class BeastHttpsClient final : public HttpsClient {
 public:
  absl::StatusOr<HttpsResponse> Call(const HttpsRequest& request) override;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_HTTPS_CLIENT_H_
