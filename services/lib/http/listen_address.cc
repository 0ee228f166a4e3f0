#include "services/lib/http/listen_address.h"

#include "absl/strings/numbers.h"
#include "services/lib/base/error.h"

namespace skerry::http {

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text) {
  const size_t colon = text.rfind(':');
  uint32_t port = 0;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) ||
      port > 65535) {
    return InvalidField("listen", text, "give host:port, as in 127.0.0.1:6443").ToStatus();
  }
  absl::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != absl::string_view::npos) {
    return InvalidField("listen", text, "put an IPv6 address in brackets, as in [::1]:6443")
        .ToStatus();
  }
  if (host.empty()) host = "0.0.0.0";
  if (host == "localhost") host = "127.0.0.1";
  return ListenAddress{.host = std::string(host), .port = static_cast<uint16_t>(port)};
}

}  // namespace skerry::http
