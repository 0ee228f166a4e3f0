#include "services/twin-svc/dmi/mapper_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "api/grpc/health/v1/health.grpc.pb.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "api/skerry/mapper/v1/method_service.grpc.pb.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"

namespace skerry::twin {
namespace {

using MapperStub = v1beta1::DeviceMapperService::Stub;

// It is on this machine: worth a try often.
constexpr absl::Duration kConnectRetryMax = absl::Seconds(1);

template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
  absl::AnyInvocable<void(absl::Status, Response)> done;
};

// The mapper was there and answered. UNAVAILABLE may be that nobody was.
bool IsAnswer(const absl::Status& status) {
  return !absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status) &&
         !absl::IsCancelled(status);
}

}  // namespace

struct MapperClient::Impl : std::enable_shared_from_this<MapperClient::Impl> {
  template <typename Request, typename Response, typename Start>
  void Make(absl::Duration limit, Request request,
            absl::AnyInvocable<void(absl::Status, Response)> done, const Start& start) {
    auto call = std::make_shared<Call<Request, Response>>();
    call->request = std::move(request);
    call->done = std::move(done);
    call->context.set_deadline(rpc::DeadlineIn(limit));
    bool made = false;
    {
      absl::MutexLock lock(&mutex);
      made = !ending && calls.insert(&call->context).second;
    }
    if (!made) return call->done(absl::CancelledError("twin-svc no longer calls it"), Response());
    start(&call->context, &call->request, &call->response,
          [self = shared_from_this(), call](const grpc::Status& status) {
            call->done(rpc::FromGrpc(status), std::move(call->response));
            call->done = nullptr;
            absl::MutexLock lock(&self->mutex);
            self->calls.erase(&call->context);
          });
  }

  // Of a method of DeviceMapperService whose answer says nothing.
  template <typename Response, typename Request, typename Start>
  void Tell(Request request, Done done, const Start& start) {
    Make<Request, Response>(
        timeout, std::move(request),
        [done = std::move(done)](absl::Status status, Response) mutable {
          done(std::move(status));
        },
        start);
  }

  absl::Duration timeout;
  std::unique_ptr<MapperStub> mapper;
  std::unique_ptr<skerry::mapper::v1::DeviceMethodService::Stub> methods;
  std::unique_ptr<grpc::health::v1::Health::Stub> health;
  absl::Mutex mutex;
  std::set<grpc::ClientContext*> calls ABSL_GUARDED_BY(mutex);
  bool ending ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::unique_ptr<MapperClient>> MapperClient::Create(const std::string& path,
                                                                   absl::Duration timeout) {
  rpc::ChannelOptions options;
  options.target = absl::StrCat("unix:", path);
  options.backoff_max = kConnectRetryMax;
  // Servers in Go take pings without calls for an attack.
  options.keepalive_interval = absl::InfiniteDuration();
  options.own_connection = true;
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, rpc::MakeChannel(options));
  auto impl = std::make_shared<Impl>();
  impl->timeout = timeout;
  impl->mapper = v1beta1::DeviceMapperService::NewStub(channel);
  impl->methods = skerry::mapper::v1::DeviceMethodService::NewStub(channel);
  impl->health = grpc::health::v1::Health::NewStub(channel);
  return std::unique_ptr<MapperClient>(new MapperClient(std::move(impl)));
}

MapperClient::MapperClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

MapperClient::~MapperClient() { End(); }

void MapperClient::RegisterDevice(v1beta1::Device device, Done done) {
  v1beta1::RegisterDeviceRequest request;
  *request.mutable_device() = std::move(device);
  impl_->Tell<v1beta1::RegisterDeviceResponse>(
      std::move(request), std::move(done), [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->mapper->async()->RegisterDevice(context, in, out, std::move(ended));
      });
}

void MapperClient::UpdateDevice(v1beta1::Device device, Done done) {
  v1beta1::UpdateDeviceRequest request;
  *request.mutable_device() = std::move(device);
  impl_->Tell<v1beta1::UpdateDeviceResponse>(
      std::move(request), std::move(done), [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->mapper->async()->UpdateDevice(context, in, out, std::move(ended));
      });
}

void MapperClient::RemoveDevice(const std::string& device_namespace, const std::string& name,
                                Done done) {
  v1beta1::RemoveDeviceRequest request;
  request.set_devicenamespace(device_namespace);
  request.set_devicename(name);
  v1beta1::GetDeviceRequest question;
  question.set_devicenamespace(device_namespace);
  question.set_devicename(name);
  auto on_removed = [impl = impl_, question, done = std::move(done)](absl::Status removed) mutable {
    if (removed.ok() || !IsAnswer(removed)) return done(std::move(removed));
    impl->Make<v1beta1::GetDeviceRequest, v1beta1::GetDeviceResponse>(
        impl->timeout, std::move(question),
        [removed, done = std::move(done)](const absl::Status& asked,
                                          const v1beta1::GetDeviceResponse&) mutable {
          const bool gone = absl::IsNotFound(asked) || absl::IsUnknown(asked);
          done(gone ? absl::OkStatus() : removed);
        },
        [&](auto* context, auto* in, auto* out, auto ended) {
          impl->mapper->async()->GetDevice(context, in, out, std::move(ended));
        });
  };
  impl_->Tell<v1beta1::RemoveDeviceResponse>(
      std::move(request), std::move(on_removed),
      [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->mapper->async()->RemoveDevice(context, in, out, std::move(ended));
      });
}

void MapperClient::CreateModel(v1beta1::DeviceModel model, Done done) {
  v1beta1::CreateDeviceModelRequest request;
  *request.mutable_model() = std::move(model);
  impl_->Tell<v1beta1::CreateDeviceModelResponse>(
      std::move(request), std::move(done), [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->mapper->async()->CreateDeviceModel(context, in, out, std::move(ended));
      });
}

void MapperClient::UpdateModel(v1beta1::DeviceModel model, Done done) {
  v1beta1::UpdateDeviceModelRequest request;
  *request.mutable_model() = std::move(model);
  impl_->Tell<v1beta1::UpdateDeviceModelResponse>(
      std::move(request), std::move(done), [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->mapper->async()->UpdateDeviceModel(context, in, out, std::move(ended));
      });
}

void MapperClient::RemoveModel(const std::string& model_namespace, const std::string& name,
                               Done done) {
  v1beta1::RemoveDeviceModelRequest request;
  request.set_modelnamespace(model_namespace);
  request.set_modelname(name);
  impl_->Tell<v1beta1::RemoveDeviceModelResponse>(
      std::move(request), std::move(done), [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->mapper->async()->RemoveDeviceModel(context, in, out, std::move(ended));
      });
}

void MapperClient::CallMethod(v1::MethodCall call, absl::Duration timeout, MethodDone done) {
  impl_->Make<v1::MethodCall, v1::MethodResult>(
      timeout, std::move(call),
      [done = std::move(done)](absl::Status status, v1::MethodResult result) mutable {
        if (status.ok()) {
          done(std::move(result));
        } else {
          done(std::move(status));
        }
      },
      [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->methods->async()->CallMethod(context, in, out, std::move(ended));
      });
}

void MapperClient::Ask(absl::Duration timeout, Done done) {
  impl_->Make<grpc::health::v1::HealthCheckRequest, grpc::health::v1::HealthCheckResponse>(
      timeout, grpc::health::v1::HealthCheckRequest(),
      [done = std::move(done)](absl::Status status,
                               const grpc::health::v1::HealthCheckResponse&) mutable {
        done(IsAnswer(status) ? absl::OkStatus() : std::move(status));
      },
      [this](auto* context, auto* in, auto* out, auto ended) {
        impl_->health->async()->Check(context, in, out, std::move(ended));
      });
}

void MapperClient::End() {
  absl::MutexLock lock(&impl_->mutex);
  impl_->ending = true;
  for (grpc::ClientContext* context : impl_->calls) context->TryCancel();
  Impl* impl = impl_.get();
  impl->mutex.Await(absl::Condition(
      +[](Impl* i) ABSL_NO_THREAD_SAFETY_ANALYSIS { return i->calls.empty(); }, impl));
}

}  // namespace skerry::twin
