// How far the hub is, by the kernel's own measure.
#ifndef SKERRY_TOOLS_SKERRYCTL_TOP_LINK_RTT_H_
#define SKERRY_TOOLS_SKERRYCTL_TOP_LINK_RTT_H_

#include <cstdint>
#include <optional>

#include "absl/time/time.h"

namespace skerry::skerryctl {

// The smoothed round trip time of the TCP connection that process `pid` has to `port` of anybody:
// of the last one it has opened, where there are several. nullopt: there is none, it is another
// user's and we are not root, or the kernel does not tell (CONFIG_INET_DIAG). Sends nothing.
std::optional<absl::Duration> ConnectionRtt(int64_t pid, uint16_t port);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_TOP_LINK_RTT_H_
