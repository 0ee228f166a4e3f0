// The box's side of a spoke of edgehub-svc: what its services send to the cloud, and the commands
// that they take from it.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_HUB_CLIENT_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_HUB_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/hubclient/hub_dialer.h"
#include "services/lib/hubclient/hub_metrics.h"
#include "services/lib/hubclient/hub_types.h"
#include "services/lib/log/logger.h"

namespace skerry::hubclient {

// Once, on any thread. A response is at most 256 KiB.
using CommandDone = absl::AnyInvocable<void(absl::Status status, std::string response)>;

// Called on the executor's thread; none may block.
struct HubEvents {
  // Optional. The hub has registered this spoke, or the stream to it has ended.
  std::function<void(bool attached)> on_attached;
  // Optional. `reason` says why the link is down. Not told while the hub is away.
  std::function<void(bool connected, const std::string& reason)> on_link_state;
  // Required where command types are registered. They come side by side.
  std::function<void(Command command, CommandDone done)> on_command;
};

// Keeps a stream to the hub open and dials again, with full jitter, when it ends. What was handed
// in and not answered goes again by itself, over a new stream or after a pause where the hub could
// not store it. Any thread may call it; `done`s are called once, on the executor's thread but where
// stated, and may call it. Executor and metrics outlive it.
class HubClient {
 public:
  struct Options {
    std::string spoke;  // "twin-svc".
    std::vector<std::string> report_types;
    std::vector<EventStream> event_streams;
    std::vector<std::string> command_types;
    absl::Duration reconnect_min = absl::Milliseconds(100);
    absl::Duration reconnect_max = absl::Seconds(5);
    absl::Duration store_retry = absl::Seconds(5);  // After the hub could not store something.
    // Of reports and events that wait for the hub; beyond, they are refused (HUB_BUSY).
    size_t waiting_bytes_max = 16u << 20;
    size_t reports_in_flight_max = 64;
    size_t commands_max = 128;  // Under way; beyond, they are answered with COMMANDS_BUSY.
  };
  using ReportDone = absl::AnyInvocable<void(absl::Status status)>;
  using EventsDone = absl::AnyInvocable<void(EventsPut put)>;

  HubClient(Options options, HubDialer dialer, exec::SerialExecutor& executor, HubEvents events,
            HubClientMetrics& metrics, log::Logger log);
  ~HubClient();  // Stop().

  void Start();
  // Ends the stream, waits for its end; what waits ends with UNAVAILABLE / STOPPING, as does what
  // comes later. Idempotent. Not from the executor.
  void Stop();

  // The newest value of a key: one that waits is replaced by it, and its `done` gets ABORTED /
  // REPORT_REPLACED. One of a key is under way at a time. OK: the hub has it on its disk.
  // INVALID_ARGUMENT: it refuses it for good. RESOURCE_EXHAUSTED / HUB_BUSY, on this thread: it was
  // not taken; put it again when an earlier one is done.
  void PutReport(absl::string_view type, absl::string_view key, int64_t generation,
                 std::string value, ReportDone done);

  // One batch of a stream and producer at a time: FAILED_PRECONDITION / PUT_OUTSTANDING for another
  // before `done`. RESOURCE_EXHAUSTED / HUB_BUSY, on this thread.
  void PutEvents(EventBatch batch, EventsDone done);

  bool attached() const;
  size_t waiting_bytes() const;

 private:
  struct Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_HUB_CLIENT_H_
