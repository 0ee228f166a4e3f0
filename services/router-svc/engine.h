// router-svc's work: rules out of the Kubernetes API, messages out of the hubs, posts to targets.
#ifndef SKERRY_SERVICES_ROUTER_SVC_ENGINE_H_
#define SKERRY_SERVICES_ROUTER_SVC_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/cloudspoke/event_applier.h"
#include "services/lib/cloudspoke/hub_set.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/cloudspoke/pusher.h"
#include "services/lib/cloudspoke/sessions.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/http/caller.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/log/logger.h"
#include "services/router-svc/metrics.h"
#include "services/router-svc/runner/box_rules.h"
#include "services/router-svc/runner/deliverer.h"
#include "services/router-svc/runner/event_intake.h"
#include "services/router-svc/runner/rule_book.h"
#include "services/router-svc/runner/status_writer.h"
#include "services/router-svc/store/message_store.h"

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::router {

// Attaches to the hubs when all rules are known: before, a message would have no rule. Any thread
// may call it; references outlive Stop().
class Engine final : private cloudspoke::HubListener {
 public:
  struct Options {
    std::string instance;
    absl::Duration find_hubs_interval = absl::Seconds(5);
    absl::Duration status_interval = absl::Seconds(10);
    Deliverer::Options delivery;
    std::optional<HttpAllowList> targets;  // Of posts; absent: any.
  };
  struct Listener {
    std::function<void()> on_synced;  // All rules are known.
    std::function<void(size_t attached)> on_hubs;
  };

  Engine(Options options, kubeclient::Client& client, cloudspoke::HubSource& hubs,
         MessageStore& store, http::Caller& caller, Listener listener, Clock& clock,
         RouterMetrics& metrics, log::Logger log);
  ~Engine() override;  // Stop().

  void Start();
  // Writes the status of rules once more. Idempotent.
  void Stop();

  RuleBook& rules() { return rules_; }
  void Wake(const std::string& rule) { deliverer_.Wake(rule); }
  // The hub that the node is connected to; null: none.
  std::shared_ptr<grpc::Channel> ChannelOf(const std::string& node) const {
    return hubs_.TunnelTo(node);
  }

 private:
  void OnInformerSynced();
  void MeasureStore();  // Again and again.
  void OnRule(const KubeObject& rule);
  void OnRuleDeleted(const KubeObject& rule);
  void Touch(const std::vector<std::string>& nodes, const std::string& rule);
  std::string StoreIdOf(const std::string& node, uint64_t epoch) const;

  // HubListener.
  void OnNodeConnected(const std::string&) override {}
  void OnNodeGone(const std::string& node) override;
  void OnReport(const std::string&, const cloudhub::v1::NodeReport&) override {}
  void OnEvents(const std::string& hub, const cloudhub::v1::NodeEvents& frame) override;
  void OnHubs(size_t attached) override { listener_.on_hubs(attached); }
  const Options options_;
  const Listener listener_;
  MessageStore& store_;
  RouterMetrics& metrics_;
  log::Logger log_;
  exec::SerialExecutor executor_;
  RuleBook rules_;
  cloudspoke::Sessions sessions_;
  BoxRules box_rules_;
  cloudspoke::Pusher pusher_;
  Deliverer deliverer_;
  EventIntake user_messages_, service_posts_;
  cloudspoke::EventApplier user_applier_, post_applier_;
  StatusWriter status_;
  cloudspoke::HubSet hubs_;
  kubeclient::Informer rule_informer_, endpoint_informer_;
  int synced_ = 0;  // Of the executor.
  bool stopped_ = false;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_ENGINE_H_
