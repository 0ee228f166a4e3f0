// Where this machine keeps the CAs that it trusts: for TLS with servers that no CA file is set for.
#ifndef SKERRY_SERVICES_LIB_SECURITY_SYSTEM_ROOTS_H_
#define SKERRY_SERVICES_LIB_SECURITY_SYSTEM_ROOTS_H_

#include <string>

#include "absl/status/statusor.h"

namespace skerry::security {

struct SystemRootPlaces {
  std::string folder = "/etc/ssl/certs";
  std::string file = "/etc/ssl/certs/ca-certificates.crt";
};

// What to give OpenSSL. One of the two is empty.
struct SystemRoots {
  std::string folder;
  std::string file;
};

// The folder, where it has links by hashes of names: those are read one by one as they are needed.
// Else the file, all of it; our images have nothing else. FAILED_PRECONDITION /
// CA_CERTIFICATES_MISSING: there is neither. Any thread; lists the folder.
absl::StatusOr<SystemRoots> FindSystemRoots(const SystemRootPlaces& places = {});

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_SYSTEM_ROOTS_H_
