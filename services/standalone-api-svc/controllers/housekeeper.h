// The chores of kube-controller-manager that a site without a cluster needs.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_CONTROLLERS_HOUSEKEEPER_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_CONTROLLERS_HOUSEKEEPER_H_

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/local_client.h"
#include "services/lib/kubeapi/resource_registry.h"
#include "services/lib/log/logger.h"

namespace skerry::standaloneapi {

// Every namespace has its ServiceAccount "default" and its ConfigMap kube-root-ca.crt; a namespace
// that is being deleted loses its content, then itself; so does a CustomResourceDefinition; events
// go after their time, 500 looked at at a time. Works through the API alone, on a thread of its
// own. Client, registry and clock outlive it.
class Housekeeper {
 public:
  struct Options {
    std::string ca_pem;
    absl::Duration event_ttl = absl::Hours(1);
  };

  Housekeeper(kubeapi::LocalClient& client, const kubeapi::ResourceRegistry& registry, Clock& clock,
              Options options, log::Logger log);
  ~Housekeeper();  // Stop().

  void Start();
  void Stop();

 private:
  void WatchNamespaces();
  void WatchDefinitions();
  void WatchAccounts();
  void Reconcile(const std::string& ns);
  absl::Status Equip(const std::string& ns);
  absl::Status Empty(const kubeapi::Json& ns);
  void ReconcileDefinition(const std::string& name);
  absl::Status EmptyDefinition(const kubeapi::Json& definition);
  void Later(const std::string& key, std::function<void()> work);
  // One page of all events, from that token on, then the next.
  void ExpireEvents(const std::string& from);
  absl::Status DeleteOld(const kubeapi::Json& events);

  kubeapi::LocalClient& client_;
  const kubeapi::ResourceRegistry& registry_;
  Clock& clock_;
  const Options options_;
  const log::Logger log_;
  exec::SerialExecutor executor_;
  std::set<std::string> pending_;  // Retries that are due. Executor only.
  // Executor only.
  std::unique_ptr<kubeapi::LocalClient::WatchHandle> namespaces_;
  std::unique_ptr<kubeapi::LocalClient::WatchHandle> definitions_;
  std::unique_ptr<kubeapi::LocalClient::WatchHandle> accounts_;
};

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_CONTROLLERS_HOUSEKEEPER_H_
