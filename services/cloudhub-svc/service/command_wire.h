// Conversion between the messages of CommandService and the values that the hub speaks.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_COMMAND_WIRE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_COMMAND_WIRE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/command_service.pb.h"
#include "services/cloudhub-svc/sessions/command_desk.h"

namespace skerry::cloudhub {

// INVALID_ARGUMENT that names the field where something is missing or beyond its bound.
absl::StatusOr<CommandInfo> FromWire(const v1::SendCommandRequest& request, absl::Time now);
void ToWire(const CommandInfo& info, v1::Command& out);

struct CommandName {
  std::string node;
  std::string key;
};
// "nodes/{node}/commands/{key}"
absl::StatusOr<CommandName> ParseCommandName(absl::string_view name);
// "nodes/{node}"
absl::StatusOr<std::string> ParseCommandParent(absl::string_view parent);

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SERVICE_COMMAND_WIRE_H_
