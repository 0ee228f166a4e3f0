#include "services/mappers/testing/fake_twin.h"

#include <utility>

#include "absl/time/clock.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "services/lib/base/check.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::mapper {
namespace {

const v1beta1::Twin* FindTwin(const v1beta1::ReportDeviceStatusRequest& report,
                              absl::string_view device, absl::string_view property) {
  if (absl::string_view(report.devicename()) != device) return nullptr;
  for (const v1beta1::Twin& twin : report.reporteddevice().twins()) {
    if (absl::string_view(twin.propertyname()) == property) return &twin;
  }
  return nullptr;
}

}  // namespace

class FakeTwin::Service final : public v1beta1::DeviceManagerService::CallbackService {
 public:
  explicit Service(FakeTwin& fake) : fake_(fake) {}

  grpc::ServerUnaryReactor* MapperRegister(grpc::CallbackServerContext* context,
                                           const v1beta1::MapperRegisterRequest* request,
                                           v1beta1::MapperRegisterResponse* response) override {
    absl::MutexLock lock(&fake_.mutex_);
    fake_.seen_.registrations.push_back(*request);
    *response = fake_.devices_;
    return Finish(context, absl::OkStatus());
  }
  grpc::ServerUnaryReactor* ReportDeviceStatus(grpc::CallbackServerContext* context,
                                               const v1beta1::ReportDeviceStatusRequest* request,
                                               v1beta1::ReportDeviceStatusResponse*) override {
    absl::MutexLock lock(&fake_.mutex_);
    if (!fake_.failure_.ok()) {
      ++fake_.seen_.refused;
      return Finish(context, fake_.failure_);
    }
    fake_.seen_.reports.push_back(*request);
    return Finish(context, absl::OkStatus());
  }
  grpc::ServerUnaryReactor* ReportDeviceStates(grpc::CallbackServerContext* context,
                                               const v1beta1::ReportDeviceStatesRequest* request,
                                               v1beta1::ReportDeviceStatesResponse*) override {
    absl::MutexLock lock(&fake_.mutex_);
    fake_.seen_.states.push_back(*request);
    return Finish(context, absl::OkStatus());
  }

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context,
                                          const absl::Status& status) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(rpc::ToGrpc(status));
    return reactor;
  }

  FakeTwin& fake_;
};

std::string FakeTwin::Seen::Reported(absl::string_view device, absl::string_view property) const {
  for (auto report = reports.rbegin(); report != reports.rend(); ++report) {
    const v1beta1::Twin* twin = FindTwin(*report, device, property);
    if (twin != nullptr) return twin->reported().value();
  }
  return "";
}

std::string FakeTwin::Seen::Observed(absl::string_view device, absl::string_view property) const {
  for (auto report = reports.rbegin(); report != reports.rend(); ++report) {
    const v1beta1::Twin* twin = FindTwin(*report, device, property);
    if (twin != nullptr) return twin->observeddesired().value();
  }
  return "";
}

std::string FakeTwin::Seen::State(absl::string_view device) const {
  for (auto state = states.rbegin(); state != states.rend(); ++state) {
    if (absl::string_view(state->devicename()) == device) return state->state();
  }
  return "";
}

void FakeTwin::Start() {
  service_ = std::make_shared<Service>(*this);
  auto server = rpc::Server::Create({.listen = address_}, {service_.get()});
  SKERRY_CHECK(server.ok());
  server_ = *std::move(server);
  server_->SetServing(true);
}

void FakeTwin::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::Now());
  server_.reset();
  service_.reset();
}

void FakeTwin::SetDevices(std::vector<v1beta1::DeviceModel> models,
                          std::vector<v1beta1::Device> devices) {
  absl::MutexLock lock(&mutex_);
  devices_.Clear();
  for (v1beta1::DeviceModel& model : models) *devices_.add_modellist() = std::move(model);
  for (v1beta1::Device& device : devices) *devices_.add_devicelist() = std::move(device);
}

void FakeTwin::FailReports(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(status);
}

void FakeTwin::Clear() {
  absl::MutexLock lock(&mutex_);
  seen_ = Seen();
}

bool FakeTwin::Await(const std::function<bool(const Seen&)>& good, absl::Duration patience) const {
  absl::MutexLock lock(&mutex_);
  const auto holds = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return good(seen_); };
  return mutex_.AwaitWithTimeout(absl::Condition(&holds), patience);
}

FakeTwin::Seen FakeTwin::seen() const {
  absl::MutexLock lock(&mutex_);
  return seen_;
}

}  // namespace skerry::mapper
