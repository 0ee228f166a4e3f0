// By which names a server is reached.
#ifndef SKERRY_SERVICES_LIB_SECURITY_SERVER_NAMES_H_
#define SKERRY_SERVICES_LIB_SECURITY_SERVER_NAMES_H_

#include <string>
#include <vector>

#include "services/lib/security/ca.h"

namespace skerry::security {

// Adds localhost, 127.0.0.1, ::1, this host's name and `further` (DNS names and addresses) to
// `spec`. Each name is there once, an address in one spelling: "0:0::1" and "::1" are the same.
void AddServerNames(CertificateSpec& spec, const std::vector<std::string>& further);

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_SERVER_NAMES_H_
