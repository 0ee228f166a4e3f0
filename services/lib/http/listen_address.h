// "host:port" as servers listen on.
#ifndef SKERRY_SERVICES_LIB_HTTP_LISTEN_ADDRESS_H_
#define SKERRY_SERVICES_LIB_HTTP_LISTEN_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::http {

struct ListenAddress {
  std::string host;  // An IP address without brackets.
  uint16_t port = 0;
};

// "127.0.0.1:6443", "[::1]:6443", "localhost:0"; without a host (":6443") all IPv4 addresses.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_LISTEN_ADDRESS_H_
