// A mapper as it has registered.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_RECORD_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_RECORD_H_

#include <string>

namespace skerry::twin {

struct MapperRecord {
  std::string name;      // Never empty, as the next two.
  std::string protocol;  // The devices of which it serves: spec.protocol.protocolName.
  std::string path;      // Of its Unix socket.
  std::string version;   // Its own; for people.

  bool operator==(const MapperRecord&) const = default;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_RECORD_H_
