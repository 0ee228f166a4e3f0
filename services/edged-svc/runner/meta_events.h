// Takes what edge-meta-svc tells to those it is for.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_META_EVENTS_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_META_EVENTS_H_

#include <functional>
#include <string>
#include <utility>

#include "services/edged-svc/metrics.h"
#include "services/edged-svc/runner/object_cache.h"
#include "services/edged-svc/runner/pod_manager.h"
#include "services/lib/log/logger.h"
#include "services/lib/metaclient/meta_client.h"

namespace skerry::edged {

// Called on the meta client's executor. References outlive it.
class MetaEvents final : public metaclient::MetaListener {
 public:
  MetaEvents(ObjectCache& objects, EdgedMetrics& metrics, log::Logger log,
             std::function<void(bool)> on_connected)
      : objects_(objects),
        metrics_(metrics),
        log_(std::move(log)),
        on_connected_(std::move(on_connected)) {}

  // Before the client starts.
  void SetTargets(PodManager* pods, std::function<void()> report_node) {
    pods_ = pods;
    report_node_ = std::move(report_node);
  }

  void OnObject(const std::string& type, const std::string& key, const std::string& json) override;
  void OnObjectDeleted(const std::string& type, const std::string& key) override;
  void OnSynced() override;
  void OnConnected(bool connected) override { on_connected_(connected); }
  void OnReportSent(bool ok) override { metrics_.ReportSent(ok); }

 private:
  ObjectCache& objects_;
  EdgedMetrics& metrics_;
  const log::Logger log_;
  const std::function<void(bool)> on_connected_;
  PodManager* pods_ = nullptr;
  std::function<void()> report_node_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_META_EVENTS_H_
