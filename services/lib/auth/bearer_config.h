// Settings of bearer tokens on a service's gRPC API.
#ifndef SKERRY_SERVICES_LIB_AUTH_BEARER_CONFIG_H_
#define SKERRY_SERVICES_LIB_AUTH_BEARER_CONFIG_H_

#include <string>
#include <vector>

#include "services/lib/config/config.h"

namespace skerry::auth {

struct BearerConfig {
  bool enabled = false;
  std::string audience = "skerry";
  std::vector<std::string> users;   // As of TokenBindings.
  std::vector<std::string> groups;  // As of TokenBindings.
};

// Declares auth.bearer.*, bound to `config`, and checks it.
void AddBearer(config::Schema& schema, BearerConfig& config);

}  // namespace skerry::auth

#endif  // SKERRY_SERVICES_LIB_AUTH_BEARER_CONFIG_H_
