#include "services/cloudhub-svc/store/command_rows.h"

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::cloudhub::command_rows {

std::string StatusBytes(const absl::Status& status) {
  return rpc::ToProto(status).SerializeAsString();
}

absl::Status ReadStatus(const std::string& bytes, absl::Status& status) {
  google::rpc::Status message;
  if (!message.ParseFromString(bytes))
    return absl::DataLossError("a command's status does not parse");
  status = rpc::FromProto(message);
  return absl::OkStatus();
}

absl::Status CheckRoom(const StoredCommand& command, const CommandQueueBounds& bounds,
                       int64_t count, int64_t bytes) {
  if (count < bounds.count_max &&
      bytes + static_cast<int64_t>(command.payload.size()) <= bounds.bytes_max) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("node ", command.node, " has ", count, " commands of ", bytes,
                            " bytes queued; cancel some, or wait until they end"))
      .Reason("COMMAND_QUEUE_FULL");
}

}  // namespace skerry::cloudhub::command_rows
