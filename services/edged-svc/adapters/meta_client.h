// edged's end of edge-meta-svc: follows the box's objects and hands in reports.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_META_CLIENT_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_META_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edged-svc/runner/report_sink.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::edged {

// Called on the executor's thread, one at a time.
class MetaListener {
 public:
  virtual ~MetaListener() = default;
  virtual void OnObject(const std::string& type, const std::string& key,
                        const std::string& json) = 0;
  virtual void OnObjectDeleted(const std::string& type, const std::string& key) = 0;
  // Everything that edge-meta-svc holds has been told. Once per connection.
  virtual void OnSynced() = 0;
  virtual void OnConnected(bool connected) = 0;
  virtual void OnReportSent(bool ok) = 0;
};

// Watches pods, configmaps, secrets, serviceaccounts and nodes; resumes where it was after a loss,
// begins anew when that is too long ago. Reports are kept by key until edge-meta-svc has made them
// durable; at most one call is in flight. Any thread may call it.
class MetaClient final : public ReportSink {
 public:
  struct Options {
    std::string address;
    absl::Duration reconnect_max = absl::Seconds(5);
  };
  // executor and listener outlive it. INVALID_ARGUMENT for an address that is not local.
  static absl::StatusOr<std::unique_ptr<MetaClient>> Create(const Options& options,
                                                            exec::SerialExecutor& executor,
                                                            MetaListener& listener,
                                                            log::Logger log);
  // Close(). The executor still runs then.
  ~MetaClient() override;

  void Start();
  // Ends the watch and open calls: the listener is not called any more, reports are dropped.
  // Idempotent; not from the executor.
  void Close();
  void ReportPod(const std::string& key, const std::string& uid, int64_t generation,
                 const std::string& status_json, bool gone) override;
  // value: a serialized NodeReport.
  void ReportNode(const std::string& name, const std::string& value);

 private:
  struct Impl;
  explicit MetaClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_META_CLIENT_H_
