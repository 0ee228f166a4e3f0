// Commands to nodes, as this service needs them.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_COMMANDS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_COMMANDS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/command_service.pb.h"

namespace skerry::devicecontroller {

// Any thread may call it. Commands are those of cloudhub.v1.CommandService, whichever hub has the
// node.
class Commands {
 public:
  static constexpr size_t kListMax = 10000;

  using Done = absl::AnyInvocable<void(absl::StatusOr<cloudhub::v1::Command>)>;

  virtual ~Commands() = default;

  struct Patience {
    absl::Duration total;   // For the command to end; of QUEUE, to be accepted.
    absl::Duration queued;  // QUEUE only: from the sending, for it to end.
  };

  // Does not block; `done` is called once, on another thread, with the command as it ended,
  // whatever its stage is then (DONE, EXPIRED, CANCELLED). Of QUEUE, where it has been accepted and
  // `patience.queued` is over: as it is then. Errors: it is not known to have been accepted
  // (UNAVAILABLE / NODE_NOT_CONNECTED, HUB_UNREACHABLE; the hub's refusals), or UNAVAILABLE /
  // METHOD_OUTCOME_UNKNOWN: that it was accepted is all that is known in time.
  virtual void Send(cloudhub::v1::SendCommandRequest request, Patience patience, Done done) = 0;

  // These block, each hub for `timeout` at most. Where several hubs know the command, it is as the
  // one says where it came furthest. NOT_FOUND / METHOD_CALL_UNKNOWN; UNAVAILABLE / HUB_UNREACHABLE
  // where none of those that answer knows it, and one does not answer.
  virtual absl::StatusOr<cloudhub::v1::Command> Get(const std::string& node, const std::string& key,
                                                    absl::Duration timeout) = 0;
  // Those of a node whose keys begin with `prefix` and go on, by key. RESOURCE_EXHAUSTED /
  // TOO_MANY_CALLS beyond kListMax; UNAVAILABLE / HUB_UNREACHABLE where one of the hubs does not
  // answer.
  virtual absl::StatusOr<std::vector<cloudhub::v1::Command>> List(const std::string& node,
                                                                  const std::string& prefix,
                                                                  absl::Duration timeout) = 0;
  // FAILED_PRECONDITION / COMMAND_SENT, COMMAND_ENDED.
  virtual absl::StatusOr<cloudhub::v1::Command> Cancel(const std::string& node,
                                                       const std::string& key,
                                                       absl::Duration timeout) = 0;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_COMMANDS_H_
