// A cloudhub's CommandService in this process, played by the test.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_FAKE_COMMAND_HUB_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_FAKE_COMMAND_HUB_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/command_service.pb.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/device-controller-svc/service/hub_commands.h"

namespace skerry::devicecontroller {

// Keeps commands as a hub does, and sends those of connected nodes to a box that the test plays.
// Any thread may call it.
class FakeCommandHub {
 public:
  // The commands that hubs share: give the same to several.
  struct Queue;
  static std::shared_ptr<Queue> MakeQueue();
  // How a command ends: stage, status and response count. Without a stage it stays SENT.
  using Box = std::function<cloudhub::v1::Command(const twin::v1::MethodCall& call)>;

  explicit FakeCommandHub(std::shared_ptr<Queue> queue = MakeQueue());
  ~FakeCommandHub();  // Stop().

  CommandHub target() const;
  void Connect(const std::string& node, Box box);
  void Disconnect(const std::string& node);
  // Ends the senders' calls.
  void Cut(const absl::Status& status);
  // Serves no more.
  void Stop();

  // How often this hub was sent the command with that key.
  int sends(const std::string& key) const;
  bool AwaitSends(const std::string& key, int times,
                  absl::Duration limit = absl::Seconds(20)) const;
  // As this hub has it; without a name where it does not.
  cloudhub::v1::Command Find(const std::string& key) const;
  bool AwaitStage(const std::string& key, cloudhub::v1::Command::Stage stage,
                  absl::Duration limit = absl::Seconds(20)) const;
  // What was sent last.
  cloudhub::v1::SendCommandRequest last() const;

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

// A method that was done: STAGE_DONE with that status and payload.
cloudhub::v1::Command Done(int status, const std::string& payload = "");
// How else a command may end.
cloudhub::v1::Command Ended(cloudhub::v1::Command::Stage stage, const absl::Status& status);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_FAKE_COMMAND_HUB_H_
