// Where the mappers that have registered are kept, and what they were told.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_MAPPER_STORE_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_MAPPER_STORE_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/twin-svc/core/mapper_record.h"
#include "services/twin-svc/core/mapper_sync.h"

namespace skerry::twin {

struct StoredMapper {
  MapperRecord record;
  std::vector<MapperSync::Told> told;  // What it has, or may have.

  bool operator==(const StoredMapper&) const = default;
};

// Whatever returned OK survives a crash of the process. After a loss of power it may be as it was
// some time before: mappers have been restarted then, too, and register. One thread at a time.
class MapperStore {
 public:
  virtual ~MapperStore() = default;
  // In order of registration.
  virtual absl::StatusOr<std::vector<StoredMapper>> Load() = 0;
  // It is the last one that has registered, in place of one of that name.
  virtual absl::Status SaveMapper(const MapperRecord& record,
                                  const std::vector<MapperSync::Told>& changes) = 0;
  // Of a mapper that is there.
  virtual absl::Status SaveTold(absl::string_view mapper,
                                const std::vector<MapperSync::Told>& changes) = 0;
  virtual absl::Status Delete(absl::string_view mapper) = 0;
  // Load names all that was told.
  virtual bool whole() const = 0;
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_MAPPER_STORE_H_
