// What a mapper says of itself when it registers.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_INFO_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_INFO_H_

#include "absl/status/statusor.h"
#include "api/kubeedge/dmi/v1beta1/api.pb.h"
#include "services/twin-svc/core/mapper_record.h"

namespace skerry::twin {

// Pure. The address is the path of a Unix socket, also written "unix:/path" or "unix:///path";
// whether there is one shows when it is dialled: mappers of KubeEdge listen after they have
// registered. It may lie anywhere: whoever may open twin-svc's socket is a neighbour.
// INVALID_ARGUMENT names field, value and fix.
absl::StatusOr<MapperRecord> RecordOf(const v1beta1::MapperInfo& info);

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_INFO_H_
