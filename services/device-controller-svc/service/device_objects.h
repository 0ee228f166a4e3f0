// Writing Device objects, which are Kubernetes': the API of this service has no store of its own
// for what is desired.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_OBJECTS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_OBJECTS_H_

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "services/lib/model/names.h"
#include "services/lib/rpc/call_scope.h"

namespace skerry::devicecontroller {

// A Device object as it is after a write.
struct WrittenObject {
  enum class Outcome { kCreated, kUpdated, kUnchanged };
  Outcome outcome = Outcome::kUnchanged;
  std::string uid;
  int64_t generation = 0;  // metadata.generation: that of the spec.
};

// By property; none: nothing is desired.
using DesiredValues = std::map<std::string, std::optional<std::string>>;

struct DesiredChange {
  DeviceName device;
  std::string uid;         // The object must have it.
  DesiredValues values;    // To be written. Never an empty text.
  DesiredValues expected;  // What must be there at the moment of the write, of these properties.
  // Who writes: what TwinHistoryStore is to name for these values.
  std::string writer;
};

// Any thread may call it; calls block, until `scope.deadline` at most. UNAVAILABLE where the API
// server is away.
class DeviceObjects {
 public:
  virtual ~DeviceObjects() = default;

  // As `kubectl apply`: makes the object, or gives the one that is there the labels, annotations
  // and spec of `device` (devices.kubeedge.io/v1beta1, with namespace and name; what it says of
  // uid, resourceVersion, generation and status counts for nothing). Where nothing differs nothing
  // is written. `writer`: who asks. The API server's refusals are INVALID_ARGUMENT or
  // FAILED_PRECONDITION. A lost race is tried again; ABORTED / DEVICE_CONTENDED where it is
  // lost again and again.
  virtual absl::StatusOr<WrittenObject> CreateOrUpdate(const nlohmann::json& device,
                                                       const std::string& writer,
                                                       const rpc::CallScope& scope) = 0;

  // Writes spec.properties[].desired of one object, all of them or none, in one update that names
  // the resourceVersion that was read; where another write came between, it reads and compares
  // anew. A value that is there already is no change. NOT_FOUND / DEVICE_UNKNOWN; ABORTED /
  // ETAG_MISMATCH where the object has another uid; INVALID_ARGUMENT / PROPERTY_UNKNOWN with
  // "property" where the spec does not name it; ABORTED / DESIRED_CHANGED where one of `expected`
  // is not what is there, with "property", "value" (absent: none), where known "writer", and as
  // "refused_value" that of `values`.
  virtual absl::StatusOr<WrittenObject> SetDesired(const DesiredChange& change,
                                                   const rpc::CallScope& scope) = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_DEVICE_OBJECTS_H_
