// Addresses of a host by the system's resolver, which knows no deadline by itself.
#ifndef SKERRY_SERVICES_LIB_HTTP_NAME_LOOKUP_H_
#define SKERRY_SERVICES_LIB_HTTP_NAME_LOOKUP_H_

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/http/call_time.h"

namespace skerry::http {

// Any thread may call it. `host`: a name or an IP address, an IPv6 one with or without brackets.
// A name is asked for on a thread of its own, which is left behind where it outlasts `time`: at
// most 32 at once in a process. At most 16 addresses, in the order to try them. UNAVAILABLE /
// HTTP_UNREACHABLE with the metadata step=lookup; DEADLINE_EXCEEDED / HTTP_TIMEOUT; CANCELLED.
absl::StatusOr<std::vector<boost::asio::ip::tcp::endpoint>> LookUp(const std::string& host,
                                                                   uint16_t port,
                                                                   const CallTime& time);

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_NAME_LOOKUP_H_
