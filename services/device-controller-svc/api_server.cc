#include "services/device-controller-svc/api_server.h"

#include <utility>
#include <vector>

#include "services/device-controller-svc/device_resources.h"
#include "services/device-controller-svc/kube_device_objects.h"
#include "services/device-controller-svc/model_views.h"
#include "services/device-controller-svc/service/device_models.h"
#include "services/device-controller-svc/service/device_policy.h"
#include "services/device-controller-svc/service/hub_commands.h"
#include "services/device-controller-svc/service/services.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/kubeclient/informer.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/use_tls.h"

namespace skerry::devicecontroller {
namespace {

// As the API asks for them.
class KnownModels final : public DeviceModels {
 public:
  explicit KnownModels(const ModelViews& views) : views_(views) {}
  std::shared_ptr<const device::ModelSpec> Find(const ObjectKey& model) override {
    const std::shared_ptr<const ModelViews::View> view = views_.Find(model.value());
    if (view == nullptr) return nullptr;
    return std::shared_ptr<const device::ModelSpec>(view, &view->spec);
  }

 private:
  const ModelViews& views_;
};

}  // namespace

// In start order: each uses those above it.
struct ApiServer::Parts {
  Parts(Options o, StoreSet& stores, kubeclient::Client& client,
        std::unique_ptr<cloudspoke::HubSource> found,
        std::function<void(const DeviceName& device)> on_switched, Clock& clock,
        DeviceControllerMetrics& metrics, metrics::Registry& registry, log::Logger log)
      : options(std::move(o)),
        hubs(std::move(found)),
        models(views),
        informer(
            client, {.resource = DeviceModelResource()},
            // What is wrong with a model is told by the leader.
            {.on_upsert = [this](const KubeObject& model) { views.Upsert(model).IgnoreError(); },
             .on_delete = [this](const KubeObject& model) { views.Delete(model.key()); },
             .on_synced = [] {}},
            metrics.device_models, log),
        objects(client, clock),
        commands(clock, log),
        services(
            {.registry = stores.registry(),
             .twins = stores.twins(),
             .telemetry = stores.telemetry(),
             .objects = objects,
             .models = models,
             .commands = commands,
             .clock = clock,
             .metrics = registry},
            {.on_switched = [changed = std::move(on_switched)](
                                const DeviceRecord& record) { changed(record.object.device); }},
            log),
        finder("find-command-hubs", clock) {}

  void FindHubs() {
    std::vector<CommandHub> found;
    for (cloudspoke::HubTarget& target : hubs->Find())
      found.push_back({target.address, std::move(target.tunnel_channel)});
    commands.SetHubs(std::move(found));
    finder.PostAfter(options.find_hubs_interval, [this] { FindHubs(); });
  }

  const Options options;
  const std::unique_ptr<cloudspoke::HubSource> hubs;
  ModelViews views;
  KnownModels models;
  kubeclient::Informer informer;
  KubeDeviceObjects objects;
  HubCommands commands;
  DeviceControllerServices services;
  exec::SerialExecutor finder;  // Finding hubs may wait.
  std::unique_ptr<rpc::Server> server;
};

ApiServer::ApiServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

ApiServer::~ApiServer() {
  Drain(absl::Now());
  parts_->informer.Stop();
  parts_->finder.Stop();
}

absl::StatusOr<std::unique_ptr<ApiServer>> ApiServer::Create(
    Options options, StoreSet& stores, kubeclient::Client& client,
    std::unique_ptr<cloudspoke::HubSource> hubs,
    std::function<void(const DeviceName& device)> on_switched, Clock& clock,
    DeviceControllerMetrics& metrics, metrics::Registry& registry, log::Logger log) {
  rpc::ServerOptions server{.listen = options.listen, .registry = &registry};
  if (!options.tls.ca.empty()) {
    SKERRY_RETURN_IF_ERROR(rpc::UseTls(server, options.tls, DevicePolicy(), options.tokens));
  }
  std::unique_ptr<ApiServer> api(new ApiServer(
      std::make_unique<Parts>(std::move(options), stores, client, std::move(hubs),
                              std::move(on_switched), clock, metrics, registry, log)));
  Parts& parts = *api->parts_;
  SKERRY_ASSIGN_OR_RETURN(parts.server, rpc::Server::Create(server, parts.services.services()));
  parts.informer.Start();
  parts.finder.Post([&parts] { parts.FindHubs(); });
  parts.server->SetServing(true);
  return api;
}

std::string ApiServer::address() const { return parts_->server->address(); }

void ApiServer::Publish(const DeviceName& device) { parts_->services.Publish(device); }

void ApiServer::SetFollowing(bool following) { parts_->services.SetFollowing(following); }

void ApiServer::Drain(absl::Time deadline) {
  parts_->services.Drain();
  parts_->commands.Stop();
  if (parts_->server != nullptr) parts_->server->Shutdown(deadline);
}

}  // namespace skerry::devicecontroller
