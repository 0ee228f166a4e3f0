// HTTPS to a hub's join port, over libcurl.
#ifndef SKERRY_TOOLS_SKERRYCTL_HTTPS_CLIENT_H_
#define SKERRY_TOOLS_SKERRYCTL_HTTPS_CLIENT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace skerry::skerryctl {

struct HttpsRequest {
  std::string url;
  std::string ca_pem;  // The only root that is trusted. Empty: the server is not verified at all.
  std::vector<std::string> headers;  // "Name: value".
  std::string body;                  // Sent with POST if not empty, else GET.
  absl::Duration timeout = absl::Seconds(15);
};

struct HttpsResponse {
  int status = 0;
  std::string body;  // At most 256 KiB.
};

// One thread at a time.
class HttpsClient {
 public:
  virtual ~HttpsClient() = default;
  // An answer of any status is OK. UNAVAILABLE with reason RESOLVE_FAILED, CONNECT_FAILED,
  // TIMED_OUT, TLS_FAILED or TLS_UNTRUSTED; the message is curl's own.
  virtual absl::StatusOr<HttpsResponse> Call(const HttpsRequest& request) = 0;
};

class CurlHttpsClient final : public HttpsClient {
 public:
  absl::StatusOr<HttpsResponse> Call(const HttpsRequest& request) override;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_HTTPS_CLIENT_H_
