// User name and password in a file.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_CREDENTIALS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_CREDENTIALS_H_

#include <string>

#include "absl/status/statusor.h"

namespace skerry::eventbus {

struct Credentials {
  std::string user;
  std::string password;
};

// The first line is the user name, the second the password; at most 4 KiB.
// FAILED_PRECONDITION / MQTT_FILE_UNREADABLE names the file; nothing of what is in it.
absl::StatusOr<Credentials> ReadCredentials(const std::string& path);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_CREDENTIALS_H_
