// A controller's stream to one hub.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_CLIENT_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/rpc/stream.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::cloudspoke {

// Dials, registers, hands on what the hub says, dials again with full jitter after a loss. The
// events run on `executor`, which outlives Stop(). Send may be called from any thread.
class HubClient {
 public:
  struct Options {
    std::string address;  // Also its name in logs and for the owner.
    std::string spoke;    // "edge-controller-svc/<instance>".
    std::vector<std::string> resource_types;
    std::vector<std::string> report_types;
    std::vector<std::string> event_streams;
    absl::Duration backoff_min = absl::Milliseconds(100);
    absl::Duration backoff_max = absl::Seconds(10);
    size_t pending_bytes_max = 16u << 20;
    size_t frames_in_work_max = 256;  // Read but not handled yet; then the hub is held back.
  };
  struct Events {
    std::function<void()> on_attached;  // Registered.
    std::function<void(const cloudhub::v1::HubFrame& frame)> on_frame;
    std::function<void(const absl::Status& why)> on_lost;  // After on_attached only.
    std::function<void()> on_drained;
  };

  HubClient(Options options, std::shared_ptr<grpc::Channel> channel, exec::SerialExecutor& executor,
            Events events, log::Logger log);
  ~HubClient();  // Stop().
  HubClient(const HubClient&) = delete;
  HubClient& operator=(const HubClient&) = delete;

  void Start();
  // Ends the stream and waits for its end. No event follows. Not from the executor. Idempotent.
  void Stop();

  const std::string& address() const { return options_.address; }
  // False: not attached, or the hub does not read.
  bool Send(cloudhub::v1::SpokeFrame frame);
  size_t pending_bytes() const;

 private:
  void Dial();
  void OnFrame(uint64_t stream_id, const cloudhub::v1::HubFrame& frame);
  void OnClosed(uint64_t stream_id, const absl::Status& status);

  const Options options_;
  const std::shared_ptr<grpc::Channel> channel_;
  exec::SerialExecutor& executor_;
  const Events events_;
  log::Logger log_;

  // Of the executor.
  absl::Duration backoff_;
  bool attached_ = false;
  bool reported_loss_ = false;
  exec::SerialExecutor::TimerId redial_ = 0;

  mutable absl::Mutex mutex_;
  std::shared_ptr<rpc::Stream<cloudhub::v1::SpokeFrame>> stream_ ABSL_GUARDED_BY(mutex_);
  uint64_t stream_id_ ABSL_GUARDED_BY(mutex_) = 0;
  int open_streams_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_CLIENT_H_
