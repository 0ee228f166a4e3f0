// What the stores of commands have in common.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_ROWS_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_ROWS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "services/cloudhub-svc/store/command_store.h"

namespace skerry::cloudhub::command_rows {

// Their rows have these numbers.
static_assert(static_cast<int>(link::CommandStage::kDone) == 4);

// As google.rpc.Status.
std::string StatusBytes(const absl::Status& status);
// DATA_LOSS where it does not parse.
absl::Status ReadStatus(const std::string& bytes, absl::Status& status);

// RESOURCE_EXHAUSTED / COMMAND_QUEUE_FULL where the node, which has `count` commands of `bytes`,
// has no room for it.
absl::Status CheckRoom(const StoredCommand& command, const CommandQueueBounds& bounds,
                       int64_t count, int64_t bytes);

}  // namespace skerry::cloudhub::command_rows

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_ROWS_H_
