// Looks at a join token as join would, without using it up.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_TOKEN_PROBE_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_TOKEN_PROBE_H_

#include <string>

#include "services/lib/base/clock.h"
#include "tools/skerryctl/doctor/core/observations.h"
#include "tools/skerryctl/operator_channel.h"

namespace skerry::skerryctl {

struct TokenOptions {
  std::string token;
  std::string cloud;  // As join takes it; empty: the hub is not looked at.
  std::string node_name;
  Endpoint hub;  // Its API; without an address the join port is asked.
};

// Fills in `seen.token` and, where nothing is known of a hub yet, `seen.hub`, `seen.hub_time` and
// `seen.now`. The secret goes where a join would send it, and only where `options.hub` is not to be
// asked: to the join port, once its CA is known to be the token's. Blocks for 15 s there and for 10
// s at the API at most.
void LookAtToken(const TokenOptions& options, Clock& clock, Observations& seen);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_TOKEN_PROBE_H_
