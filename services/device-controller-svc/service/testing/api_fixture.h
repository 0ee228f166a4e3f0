// The API over real stores and a real gRPC server, beside a hub and an API server that the test
// plays.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_API_FIXTURE_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_API_FIXTURE_H_

#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/service/hub_commands.h"
#include "services/device-controller-svc/service/services.h"
#include "services/device-controller-svc/service/testing/fake_command_hub.h"
#include "services/device-controller-svc/service/testing/fake_device_objects.h"
#include "services/device-controller-svc/store/sqlite_registry_store.h"
#include "services/device-controller-svc/store/sqlite_telemetry_store.h"
#include "services/device-controller-svc/store/sqlite_twin_history_store.h"
#include "services/lib/device/sample_manifests.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server.h"
#include "services/lib/testing/fake_clock.h"
#include "services/lib/testing/temp_dir.h"

namespace skerry::devicecontroller {

class ApiTest : public ::testing::Test {
 protected:
  static constexpr absl::Duration kPatience = absl::Seconds(30);

  explicit ApiTest(size_t method_calls_max = 1000) {
    commands_.SetHubs({hub_.target()});
    services_ = std::make_unique<DeviceControllerServices>(
        ServicesDeps{*registry_, *twins_, *telemetry_, objects_, models_, commands_, clock_,
                     metrics_},
        ServicesOptions{.threads = 2,
                        .method_calls_max = method_calls_max,
                        .on_switched = [this](const DeviceRecord& record) { Switched(record); }},
        log::Logger::Null());
    server_ = *rpc::Server::Create({.listen = absl::StrCat("unix:", folder_.path(), "/s.sock")},
                                   services_->services());
    channel_ = *rpc::MakeChannel({.target = server_->address(), .own_connection = true});
    services_->SetFollowing(true);
  }
  ~ApiTest() override {
    services_->Drain();
    commands_.Stop();
    server_->Shutdown(absl::Now());
  }

  // One call of a stub's method, as Call(*stub, &Stub::GetDevice, request).
  template <typename Stub, typename Request, typename Response>
  static absl::StatusOr<Response> Call(
      Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
      const Request& request, absl::Duration deadline = kPatience) {
    grpc::ClientContext context;
    context.set_deadline(rpc::DeadlineIn(deadline));
    Response response;
    absl::Status status = rpc::FromGrpc((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  // "plant/room-3": a thermostat, as an object and a record.
  DeviceRecord Put(const std::string& name, const std::string& node = "edge-1") {
    const DeviceName device = *DeviceName::Parse(name);
    nlohmann::json manifest = device::ThermostatDevice();
    manifest["metadata"]["name"] = device.name();
    manifest["metadata"]["namespace"] = device.device_namespace();
    manifest["spec"]["nodeName"] = node;
    const WrittenObject object = *objects_.CreateOrUpdate(manifest, "", {});
    return *registry_->Put({.device = device,
                            .uid = object.uid,
                            .node = node,
                            .model = "thermostat",
                            .protocol = "modbus"});
  }

  std::vector<DeviceRecord> switched() {
    absl::MutexLock lock(&mutex_);
    return switched_;
  }

  testing::FakeClock clock_;
  testing::TempDir folder_;
  metrics::Registry metrics_{"device-controller-svc"};
  std::unique_ptr<SqliteRegistryStore> registry_ =
      *SqliteRegistryStore::Open(folder_.File("registry.db"), 0, clock_);
  std::unique_ptr<SqliteTwinHistoryStore> twins_ =
      *SqliteTwinHistoryStore::Open(folder_.File("twins.db"), 0, clock_);
  std::unique_ptr<SqliteTelemetryStore> telemetry_ =
      *SqliteTelemetryStore::Open(folder_.File("telemetry.db"), 0, clock_);
  FakeDeviceObjects objects_;
  FakeDeviceModels models_;
  FakeCommandHub hub_;
  HubCommands commands_{clock_, log::Logger::Null()};
  std::unique_ptr<DeviceControllerServices> services_;
  std::unique_ptr<rpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;

 private:
  void Switched(const DeviceRecord& record) {
    absl::MutexLock lock(&mutex_);
    switched_.push_back(record);
  }

  absl::Mutex mutex_;
  std::vector<DeviceRecord> switched_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_SERVICE_TESTING_API_FIXTURE_H_
