// Identifiers that the server makes up.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_RANDOM_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_RANDOM_H_

#include <string>

namespace skerry::kubeapi {

// A random (version 4) UUID.
std::string NewUid();
// Five characters without vowels, for metadata.generateName.
std::string NameSuffix();

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_RANDOM_H_
