// edged as a spoke of edgehub-svc: takes the box's tunnels of type "kubelet", puts Kubernetes
// Events into the stream "events".
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_EDGEHUB_SPOKE_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_EDGEHUB_SPOKE_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/edged-svc/runner/event_recorder.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Attaches to the hub, again with jitter after a loss, joins every tunnel that is offered (how many
// there are at once, the link bounds), and puts one batch of events at a time. Any thread may call
// it.
class EdgehubSpoke {
 public:
  using Serve = std::function<void(std::shared_ptr<pipe::ByteStream>)>;
  struct Options {
    std::string address;  // Of edgehub-svc.
    absl::Duration reconnect_max = absl::Seconds(5);
    absl::Duration store_retry = absl::Seconds(5);  // When the hub could not store events.
  };

  // INVALID_ARGUMENT for an address that is not local. `events` and `executor` outlive Stop().
  static absl::StatusOr<std::unique_ptr<EdgehubSpoke>> Create(const Options& options,
                                                              EventRecorder& events,
                                                              exec::SerialExecutor& executor,
                                                              Serve serve, log::Logger log);
  ~EdgehubSpoke();  // Stop().

  void Start();
  // Ends all tunnels and waits until they are. Not from the executor. Idempotent.
  void Stop();

 private:
  struct Impl;
  explicit EdgehubSpoke(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_EDGEHUB_SPOKE_H_
