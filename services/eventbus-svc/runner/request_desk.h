// Answers devices' requests, those of one device one after the other.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_REQUEST_DESK_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_REQUEST_DESK_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "services/eventbus-svc/core/twin_changes.h"
#include "services/eventbus-svc/metrics.h"
#include "services/eventbus-svc/runner/announcer.h"
#include "services/eventbus-svc/runner/heads.h"
#include "services/eventbus-svc/runner/journal.h"
#include "services/eventbus-svc/runner/request.h"
#include "services/eventbus-svc/runner/twin_port.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

// At most 64 requests are with twin-svc. One that it can't take now is tried again for as long as
// the request has time, then answered with KubeEdge's 500. What the watch tells of a device whose
// request is under way waits for that request: its answer comes first. All is on the executor. What
// it is given outlives it.
class RequestDesk final : public TwinWatcher {
 public:
  struct Options {
    NodeName node;
    absl::Duration time_max = absl::Seconds(10);  // From the arrival of a request.
    absl::Duration retry = absl::Milliseconds(250);
  };
  // The request was answered, and the answer is on the disk.
  using Answered = std::function<void(const Request& request)>;

  RequestDesk(const Options& options, TwinPort& twins, Announcer& announcer, Journal& journal,
              exec::SerialExecutor& executor, Clock& clock, const Heads& heads, Answered answered,
              BusMetrics& metrics, log::Logger log);

  void Submit(Request request);
  // The end, while twin-svc is still there: no request is begun from here on, and none fails
  // because of it. What has no answer is left to the next process. On the executor.
  void Close() { closed_ = true; }
  // Of the announcer: asks for the twin, and tells of it as the watch does.
  void Refetch(const DeviceName& device);

  void OnTwin(twin::v1::Twin twin) override;
  void OnTwinDeleted(const DeviceName& device) override;
  void OnTwinsSynced() override;
  void OnTwinsConnected(bool connected) override;

 private:
  struct Lane {
    std::deque<Request> waiting;  // The first one is under way where `busy`.
    bool busy = false;
    bool ready = false;  // Is in ready_.
    std::optional<twin::v1::Twin> deferred;
  };
  // An update as it goes to twin-svc.
  struct Update {
    std::string event_id;
    TwinWrite write;
    twin::v1::WriteTwinRequest message;
  };

  void MakeReady(const DeviceName& device, Lane& lane);
  void Pump();
  void Begin(const DeviceName& device, const Request& request);
  void BeginUpdate(const DeviceName& device, const Request& request);
  void BeginGet(const DeviceName& device, const Request& request);
  void BeginState(const DeviceName& device, const Request& request);
  void AnswerMembership(const Request& request);
  void Write(const DeviceName& device, std::shared_ptr<const Update> update);
  void OnWritten(const DeviceName& device, const Update& update,
                 const twin::v1::WriteTwinResponse& response);
  void Get(const DeviceName& device, const std::string& event_id);
  void Report(const DeviceName& device, const twin::v1::ReportStateRequest& message,
              bool connected);

  // Runs `again` after a pause, if `status` is one that passes and the request has time; at the end
  // the next process does.
  bool TryAgain(const DeviceName& device, const absl::Status& status,
                absl::AnyInvocable<void()> again);
  void Answer(const DeviceName& device, std::string topic, std::string payload);
  void Answer(const DeviceName& device, BusChange change, bool announces);
  void Finish(const DeviceName& device);

  const Options options_;
  TwinPort& twins_;
  Announcer& announcer_;
  Journal& journal_;
  exec::SerialExecutor& executor_;
  Clock& clock_;
  const Heads& heads_;
  const Answered answered_;
  BusMetrics& metrics_;
  const log::Logger log_;

  std::map<DeviceName, Lane> lanes_;
  std::deque<DeviceName> ready_;
  size_t active_ = 0;
  bool closed_ = false;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_RUNNER_REQUEST_DESK_H_
