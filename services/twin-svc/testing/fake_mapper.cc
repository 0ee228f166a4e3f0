#include "services/twin-svc/testing/fake_mapper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "api/skerry/mapper/v1/method_service.grpc.pb.h"
#include "services/lib/base/check.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::twin {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

using grpc::CallbackServerContext;
using grpc::ServerUnaryReactor;

ServerUnaryReactor* Finish(CallbackServerContext* context, const absl::Status& status) {
  ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

template <typename Message>
std::string KeyOf(const Message& message) {
  return absl::StrCat(message.namespace_(), "/", message.name());
}

}  // namespace

class FakeMapper::Service final : public v1beta1::DeviceMapperService::CallbackService {
 public:
  explicit Service(FakeMapper& fake) : fake_(fake) {}

  ServerUnaryReactor* RegisterDevice(CallbackServerContext* context,
                                     const v1beta1::RegisterDeviceRequest* request,
                                     v1beta1::RegisterDeviceResponse*) override {
    const std::string key = KeyOf(request->device());
    return Do(context, "RegisterDevice", key, [&](State& state) {
      state.devices.emplace(key, request->device());
      return absl::OkStatus();
    });
  }
  ServerUnaryReactor* UpdateDevice(CallbackServerContext* context,
                                   const v1beta1::UpdateDeviceRequest* request,
                                   v1beta1::UpdateDeviceResponse*) override {
    const std::string key = KeyOf(request->device());
    return Do(context, "UpdateDevice", key, [&](State& state) {
      state.devices[key] = request->device();
      return absl::OkStatus();
    });
  }
  ServerUnaryReactor* RemoveDevice(CallbackServerContext* context,
                                   const v1beta1::RemoveDeviceRequest* request,
                                   v1beta1::RemoveDeviceResponse*) override {
    const std::string key = absl::StrCat(request->devicenamespace(), "/", request->devicename());
    return Do(context, "RemoveDevice", key, [&](State& state) {
      return state.devices.erase(key) > 0 ? absl::OkStatus() : absl::UnknownError("no such device");
    });
  }
  ServerUnaryReactor* GetDevice(CallbackServerContext* context,
                                const v1beta1::GetDeviceRequest* request,
                                v1beta1::GetDeviceResponse*) override {
    const std::string key = absl::StrCat(request->devicenamespace(), "/", request->devicename());
    return Do(context, "GetDevice", key, [&](State& state) {
      return state.devices.count(key) > 0 ? absl::OkStatus() : absl::UnknownError("not found");
    });
  }
  ServerUnaryReactor* CreateDeviceModel(CallbackServerContext* context,
                                        const v1beta1::CreateDeviceModelRequest* request,
                                        v1beta1::CreateDeviceModelResponse*) override {
    const std::string key = KeyOf(request->model());
    return Do(context, "CreateDeviceModel", key, [&](State& state) {
      state.models[key] = request->model();
      return absl::OkStatus();
    });
  }
  ServerUnaryReactor* UpdateDeviceModel(CallbackServerContext* context,
                                        const v1beta1::UpdateDeviceModelRequest* request,
                                        v1beta1::UpdateDeviceModelResponse*) override {
    const std::string key = KeyOf(request->model());
    return Do(context, "UpdateDeviceModel", key, [&](State& state) {
      if (state.models.count(key) == 0) return absl::UnknownError("not existed");
      state.models[key] = request->model();
      return absl::OkStatus();
    });
  }
  ServerUnaryReactor* RemoveDeviceModel(CallbackServerContext* context,
                                        const v1beta1::RemoveDeviceModelRequest* request,
                                        v1beta1::RemoveDeviceModelResponse*) override {
    const std::string key = absl::StrCat(request->modelnamespace(), "/", request->modelname());
    return Do(context, "RemoveDeviceModel", key, [&](State& state) {
      state.models.erase(key);
      return absl::OkStatus();
    });
  }

 private:
  template <typename Work>
  ServerUnaryReactor* Do(CallbackServerContext* context, const char* method, const std::string& key,
                         Work work) {
    absl::MutexLock lock(&fake_.mutex_);
    fake_.state_.calls.push_back(absl::StrCat(method, " ", key));
    return Finish(context, fake_.failure_.ok() ? work(fake_.state_) : fake_.failure_);
  }

  FakeMapper& fake_;
};

class FakeMapper::MethodService final : public mapper::v1::DeviceMethodService::CallbackService {
 public:
  MethodService(FakeMapper& fake, Method method) : fake_(fake), method_(std::move(method)) {}

  ServerUnaryReactor* CallMethod(CallbackServerContext* context, const v1::MethodCall* request,
                                 v1::MethodResult* response) override {
    {
      absl::MutexLock lock(&fake_.mutex_);
      fake_.state_.methods.push_back(*request);
    }
    absl::StatusOr<v1::MethodResult> result = method_(*request);
    if (result.ok()) *response = *std::move(result);
    return Finish(context, result.status());
  }

 private:
  FakeMapper& fake_;
  const Method method_;
};

std::string FakeMapper::State::Desired(const std::string& device,
                                       const std::string& property) const {
  const auto known = devices.find(device);
  if (known == devices.end()) return "-";
  for (const v1beta1::DeviceProperty& each : known->second.spec().properties()) {
    if (each.name() == property) return each.desired().value();
  }
  return "-";
}

void FakeMapper::Start(Method method) {
  service_ = std::make_shared<Service>(*this);
  std::vector<grpc::Service*> services{service_.get()};
  if (method != nullptr) {
    methods_ = std::make_shared<MethodService>(*this, std::move(method));
    services.push_back(methods_.get());
  }
  auto server = rpc::Server::Create({.listen = "unix:" + path_}, services);
  SKERRY_CHECK(server.ok());
  server_ = *std::move(server);
}

void FakeMapper::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(absl::Now());
  server_.reset();
  service_.reset();
  methods_.reset();
}

void FakeMapper::Fail(absl::Status failure) {
  absl::MutexLock lock(&mutex_);
  failure_ = std::move(failure);
}

void FakeMapper::Take(const v1beta1::MapperRegisterResponse& answer) {
  absl::MutexLock lock(&mutex_);
  state_.devices.clear();
  state_.models.clear();
  for (const v1beta1::DeviceModel& model : answer.modellist()) state_.models[KeyOf(model)] = model;
  for (const v1beta1::Device& device : answer.devicelist()) state_.devices[KeyOf(device)] = device;
}

void FakeMapper::ForgetCalls() {
  absl::MutexLock lock(&mutex_);
  state_.calls.clear();
}

bool FakeMapper::Await(const std::function<bool(const State&)>& good) const {
  absl::MutexLock lock(&mutex_);
  const auto holds = [&]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return good(state_); };
  return mutex_.AwaitWithTimeout(absl::Condition(&holds), kPatience);
}

FakeMapper::State FakeMapper::state() const {
  absl::MutexLock lock(&mutex_);
  return state_;
}

}  // namespace skerry::twin
