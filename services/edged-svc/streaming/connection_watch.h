// Ends connections that nothing moves on.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_CONNECTION_WATCH_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_CONNECTION_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/streaming/stream_connection.h"
#include "services/lib/exec/serial_executor.h"

namespace skerry::edged {

// Takes the connection's OnEnd and OnClosed. Without a chunk either way for `idle` (and up to a
// quarter more) it is cut; until Ready is called, `creation` counts as well; and `closing` is what
// is left to the peer to read after the end. Keeps itself until the connection has closed. On the
// strand.
class ConnectionWatch : public std::enable_shared_from_this<ConnectionWatch> {
 public:
  struct Times {
    absl::Duration creation, idle, closing = absl::Seconds(30);
  };
  struct Events {
    absl::AnyInvocable<void(absl::Status)> ended;
    absl::AnyInvocable<void()> closed;
  };

  ConnectionWatch(exec::SerialExecutor& timers, Times times,
                  std::weak_ptr<StreamConnection> connection)
      : timers_(timers), times_(times), connection_(std::move(connection)) {}

  void Start(Events events);
  // The client has opened what it must.
  void Ready() { ready_ = true; }

 private:
  static constexpr int kIdleSteps = 4;

  // Runs `work` on the strand after `delay`, unless the connection is gone by then.
  template <typename Work>
  exec::SerialExecutor::TimerId After(absl::Duration delay, Work work);
  void CheckIdle();

  exec::SerialExecutor& timers_;
  const Times times_;
  const std::weak_ptr<StreamConnection> connection_;
  bool ready_ = false;
  uint64_t chunks_ = 0;
  int idle_steps_ = 0;
  exec::SerialExecutor::TimerId creation_timer_ = 0, timer_ = 0;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_CONNECTION_WATCH_H_
