// twin-svc over gRPC.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_TWIN_CLIENT_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_TWIN_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/eventbus-svc/runner/twin_port.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::eventbus {

// Calls have 5 s. Writes that come while two calls of writes are under way go together with the
// next one; they are as many as the caller has not been answered. Cancelled by Close() they are
// UNAVAILABLE. Watches all twins, and again after a loss; the watcher holds back twin-svc by at
// most 16 twins that it has not been told of. Any thread may call it.
class TwinClient final : public TwinPort {
 public:
  struct Options {
    std::string address;  // "unix:…": twin-svc's API.
    absl::Duration reconnect_max = absl::Seconds(5);
  };
  // Executor and watcher outlive it. INVALID_ARGUMENT for an address that is not local.
  static absl::StatusOr<std::unique_ptr<TwinClient>> Create(const Options& options,
                                                            exec::SerialExecutor& executor,
                                                            log::Logger log);
  ~TwinClient() override;  // Close().

  void Watch(TwinWatcher& watcher);
  // Ends the watch and open calls, which are then told so; waits for them. Not from the executor,
  // which still runs. Idempotent.
  void Close();

  void GetTwin(const DeviceName& device, TwinDone done) override;
  void WriteTwin(const twin::v1::WriteTwinRequest& request, WriteDone done) override;
  void ReportState(const twin::v1::ReportStateRequest& request, StateDone done) override;

 private:
  struct Impl;
  explicit TwinClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  const std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_TWIN_CLIENT_H_
