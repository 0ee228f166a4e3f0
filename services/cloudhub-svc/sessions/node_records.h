// What the session hub asks of the memory of nodes' names.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_NODE_RECORDS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_NODE_RECORDS_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/cloudhub-svc/core/node_record.h"

namespace skerry::cloudhub {

// Any thread may call it. It waits for a disk or a database: not from a thread that sessions run
// on.
class NodeRecords {
 public:
  virtual ~NodeRecords() = default;
  // Lets the box have a session or refuses it, as core/node_record.h says, and remembers it. The
  // session's epoch: greater than every one that the node had before (link-2.1). PERMISSION_DENIED
  // / NODE_DISABLED besides. Errors of other reasons are the store's.
  virtual absl::StatusOr<uint64_t> Admit(const LinkingBox& box) = 0;
  // The box, which was let in, has this epoch on its disk. True: that proves that there is a copy
  // of it.
  virtual absl::StatusOr<bool> EpochStored(const LinkingBox& box, uint64_t epoch) = 0;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_NODE_RECORDS_H_
