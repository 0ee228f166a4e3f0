// Takes the box's tunnels of type "kubelet" from edgehub-svc.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_TUNNEL_ACCEPTOR_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_TUNNEL_ACCEPTOR_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Attaches to the hub, again with jitter after a loss, and joins every tunnel that is offered. How
// many there are at once, the link bounds. Any thread may call it.
class TunnelAcceptor {
 public:
  using Serve = std::function<void(std::shared_ptr<pipe::ByteStream>)>;
  struct Options {
    std::string address;  // Of edgehub-svc.
    absl::Duration reconnect_max = absl::Seconds(5);
  };

  // INVALID_ARGUMENT for an address that is not local. `executor` outlives Stop().
  static absl::StatusOr<std::unique_ptr<TunnelAcceptor>> Create(const Options& options,
                                                                exec::SerialExecutor& executor,
                                                                Serve serve, log::Logger log);
  ~TunnelAcceptor();  // Stop().

  void Start();
  // Ends all tunnels and waits until they are. Not from the executor. Idempotent.
  void Stop();

 private:
  struct Impl;
  explicit TunnelAcceptor(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_TUNNEL_ACCEPTOR_H_
