// The way up of twins: what boxes report becomes the cloud's twin and the DeviceStatus.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_UPSTREAM_TWINS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_UPSTREAM_TWINS_H_

#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"
#include "services/device-controller-svc/device_records.h"
#include "services/device-controller-svc/metrics.h"
#include "services/device-controller-svc/model_views.h"
#include "services/device-controller-svc/status_writer.h"
#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/device-controller-svc/wire/twin_values.h"
#include "services/lib/base/clock.h"
#include "services/lib/cloudspoke/report_applier.h"
#include "services/lib/cloudspoke/report_inbox.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/log/logger.h"
#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// A report counts where its device is there (with its uid), enabled and bound to the node that it
// comes from; another one is answered as done and counted (ADR 32). First the store, then the
// DeviceStatus, then the answer: what fails between comes again and finds what is done. OnReport
// and SessionEnded: any thread. References outlive Stop().
class UpstreamTwins final : private cloudspoke::ReportTarget {
 public:
  static constexpr char kType[] = "twins";

  struct Options {
    size_t workers = 8;
    size_t bytes_max_per_node = 8u << 20;
    absl::Duration backoff_max = absl::Seconds(30);
  };
  using DeviceCache = std::function<std::optional<KubeObject>(const std::string& key)>;
  using Answer = cloudspoke::ReportApplier::Answer;

  UpstreamTwins(Options options, kubeclient::Client& client, DeviceCache devices,
                DeviceRecords& records, TwinHistoryStore& twins, const ModelViews& models,
                StatusWriter& statuses, cloudspoke::Sessions& sessions, Answer answer, Clock& clock,
                DeviceControllerMetrics& metrics, log::Logger log);

  void Start() { applier_.Start(); }
  void Stop();  // Cancels calls in progress. Idempotent.

  void OnReport(const std::string& hub, const cloudhub::v1::NodeReport& frame) {
    applier_.OnReport(hub, frame);
  }
  void SessionEnded(const std::string& node) { applier_.SessionEnded(node); }

 private:
  // What became of a report: a metric label.
  using Applied = absl::StatusOr<std::string>;

  Applied Apply(const cloudspoke::InboxReport& report) override;
  bool IsFinal(const absl::Status& status) const override;
  void Count(absl::string_view type, absl::string_view result) override;
  // The device with that uid; none: it is gone.
  absl::StatusOr<std::optional<KubeObject>> FindDevice(const ReportedTwin& twin);
  // Whether something was written; none: a newer report has been applied, by another process.
  absl::StatusOr<std::optional<bool>> Store(const KubeObject& device, const TwinKey& key,
                                            std::vector<ReportedValue> values,
                                            const TwinOrder& order);

  kubeclient::Client& client_;
  const DeviceCache devices_;
  DeviceRecords& records_;
  TwinHistoryStore& twins_;
  Clock& clock_;
  const ModelViews& models_;
  StatusWriter& statuses_;
  DeviceControllerMetrics& metrics_;
  std::stop_source stop_;
  cloudspoke::ReportApplier applier_;
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_UPSTREAM_TWINS_H_
