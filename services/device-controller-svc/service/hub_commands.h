// Commands over the CommandServices of cloudhub-svc's replicas.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_HUB_COMMANDS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_HUB_COMMANDS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/device-controller-svc/service/commands.h"
#include "services/device-controller-svc/service/core/command_course.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::devicecontroller {

// One replica of cloudhub-svc.
struct CommandHub {
  std::string address;  // Also its name.
  std::shared_ptr<grpc::Channel> channel;
};

// NOW and WAIT are sent to all hubs at once, with one key: the box executes a key once, the hub
// that has the node's session sends it, and the others' is cancelled when it has ended (with NOW
// they refuse). QUEUE goes to one hub, and to the next where that one is lost: they share the queue
// (ADR 26). A hub that was lost after it had accepted the command is asked again, with back-off,
// until `patience` is over.
class HubCommands final : public Commands {
 public:
  HubCommands(Clock& clock, log::Logger log);
  ~HubCommands() override;  // Stop().

  // The replicas that are known now, in place of the former ones. Commands under way are sent to
  // those that are new, too, and stay with those that are gone, which fail. None at first: then
  // everything is UNAVAILABLE / HUB_UNREACHABLE.
  void SetHubs(std::vector<CommandHub> hubs);
  // Ends what is under way with UNAVAILABLE / DRAINING, and what still comes; returns when all is
  // done. Not from `done`. Idempotent.
  void Stop();

  void Send(cloudhub::v1::SendCommandRequest request, Patience patience, Done done) override;
  absl::StatusOr<cloudhub::v1::Command> Get(const std::string& node, const std::string& key,
                                            absl::Duration timeout) override;
  absl::StatusOr<std::vector<cloudhub::v1::Command>> List(const std::string& node,
                                                          const std::string& prefix,
                                                          absl::Duration timeout) override;
  absl::StatusOr<cloudhub::v1::Command> Cancel(const std::string& node, const std::string& key,
                                               absl::Duration timeout) override;

 private:
  struct Course;
  using Hubs = std::vector<CommandHub>;

  // On the executor.
  void Begin(std::unique_ptr<Course> course);
  void GrowAll();
  void Take(Course& course, CommandCourse::Step step);
  void Ask(uint64_t id, size_t hub);
  void Told(uint64_t id, size_t hub, uint64_t ask, const cloudhub::v1::Command& command);
  void Closed(uint64_t id, size_t hub, uint64_t ask, const absl::Status& status);
  void Silent(uint64_t id, size_t hub, uint64_t ask);
  void Finish(Course& course, absl::StatusOr<cloudhub::v1::Command> answer);
  void CancelAt(const CommandHub& hub, const std::string& name);

  std::shared_ptr<const Hubs> hubs() const;
  bool IsStopping() const;
  void CallBegins();
  void CallEnded();

  const log::Logger log_;

  // Of the executor.
  std::map<uint64_t, std::unique_ptr<Course>> courses_;
  uint64_t last_id_ = 0;
  size_t first_ = 0;  // The hub that took the last queued one.

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Hubs> hubs_ ABSL_GUARDED_BY(mutex_) = std::make_shared<Hubs>();
  int open_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  exec::SerialExecutor executor_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_HUB_COMMANDS_H_
