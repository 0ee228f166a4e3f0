#include "services/mappers/lib/twin_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <set>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/grpc/health/v1/health.grpc.pb.h"
#include "api/kubeedge/dmi/v1beta1/api.grpc.pb.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"
#include "services/lib/rpc/grpc_status.h"
#include "services/lib/rpc/server_reader_client.h"
#include "services/lib/rpc/stream.h"

namespace skerry::mapper {
namespace {

namespace health = grpc::health::v1;

constexpr absl::Duration kRegisterTimeout = absl::Seconds(10);
constexpr absl::Duration kReportTimeout = absl::Seconds(5);
// It is on this machine: worth a try often.
constexpr absl::Duration kConnectRetryMax = absl::Seconds(2);
// The answer to MapperRegister has all devices.
constexpr int kMessageBytesMax = 32 << 20;

template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;
  Request request;
  Response response;
  absl::AnyInvocable<void(absl::Status, Response)> done;
};

}  // namespace

struct TwinClient::Impl : std::enable_shared_from_this<TwinClient::Impl> {
  template <typename Request, typename Response, typename Start>
  void Make(absl::Duration timeout, Request request,
            absl::AnyInvocable<void(absl::Status, Response)> done, const Start& start) {
    auto call = std::make_shared<Call<Request, Response>>();
    call->request = std::move(request);
    call->done = std::move(done);
    call->context.set_deadline(rpc::DeadlineIn(timeout));
    bool made = false;
    {
      absl::MutexLock lock(&mutex);
      made = !ending && calls.insert(&call->context).second;
    }
    if (!made) return call->done(absl::CancelledError("the mapper stops"), Response());
    start(&call->context, &call->request, &call->response,
          [self = shared_from_this(), call](const grpc::Status& status) {
            call->done(rpc::FromGrpc(status), std::move(call->response));
            call->done = nullptr;
            absl::MutexLock lock(&self->mutex);
            self->calls.erase(&call->context);
          });
  }

  std::unique_ptr<v1beta1::DeviceManagerService::Stub> twin;
  std::unique_ptr<health::Health::Stub> health_stub;
  absl::Mutex mutex;
  std::set<grpc::ClientContext*> calls ABSL_GUARDED_BY(mutex);
  int watches ABSL_GUARDED_BY(mutex) = 0;
  std::shared_ptr<rpc::StreamControl> watch ABSL_GUARDED_BY(mutex);
  bool ending ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::unique_ptr<TwinClient>> TwinClient::Create(const std::string& address) {
  rpc::ChannelOptions options;
  options.target = address;
  options.message_bytes_max = kMessageBytesMax;
  options.backoff_max = kConnectRetryMax;
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, rpc::MakeChannel(options));
  auto impl = std::make_shared<Impl>();
  impl->twin = v1beta1::DeviceManagerService::NewStub(channel);
  impl->health_stub = health::Health::NewStub(channel);
  return std::unique_ptr<TwinClient>(new TwinClient(std::move(impl)));
}

TwinClient::TwinClient(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

TwinClient::~TwinClient() { End(); }

void TwinClient::Register(
    v1beta1::MapperRegisterRequest request,
    absl::AnyInvocable<void(absl::StatusOr<v1beta1::MapperRegisterResponse>)> done) {
  impl_->Make<v1beta1::MapperRegisterRequest, v1beta1::MapperRegisterResponse>(
      kRegisterTimeout, std::move(request),
      [done = std::move(done)](absl::Status status,
                               v1beta1::MapperRegisterResponse response) mutable {
        if (status.ok()) {
          done(std::move(response));
        } else {
          done(std::move(status));
        }
      },
      [this](auto* context, auto* in, auto* out, auto on_done) {
        impl_->twin->async()->MapperRegister(context, in, out, std::move(on_done));
      });
}

void TwinClient::ReportStatus(v1beta1::ReportDeviceStatusRequest request,
                              absl::AnyInvocable<void(absl::Status)> done) {
  impl_->Make<v1beta1::ReportDeviceStatusRequest, v1beta1::ReportDeviceStatusResponse>(
      kReportTimeout, std::move(request),
      [done = std::move(done)](absl::Status status, v1beta1::ReportDeviceStatusResponse) mutable {
        done(std::move(status));
      },
      [this](auto* context, auto* in, auto* out, auto on_done) {
        impl_->twin->async()->ReportDeviceStatus(context, in, out, std::move(on_done));
      });
}

void TwinClient::ReportStates(v1beta1::ReportDeviceStatesRequest request,
                              absl::AnyInvocable<void(absl::Status)> done) {
  impl_->Make<v1beta1::ReportDeviceStatesRequest, v1beta1::ReportDeviceStatesResponse>(
      kReportTimeout, std::move(request),
      [done = std::move(done)](absl::Status status, v1beta1::ReportDeviceStatesResponse) mutable {
        done(std::move(status));
      },
      [this](auto* context, auto* in, auto* out, auto on_done) {
        impl_->twin->async()->ReportDeviceStates(context, in, out, std::move(on_done));
      });
}

void TwinClient::WatchHealth(std::function<void(bool serving)> on_health,
                             std::function<void(absl::Status)> on_ended) {
  EndWatch();
  {
    absl::MutexLock lock(&impl_->mutex);
    if (impl_->ending) return;
    ++impl_->watches;
  }
  rpc::StreamEvents<health::HealthCheckResponse> events;
  events.on_message = [on_health = std::move(on_health)](health::HealthCheckResponse response) {
    on_health(response.status() == health::HealthCheckResponse::SERVING);
  };
  events.on_closed = [impl = impl_, on_ended = std::move(on_ended)](absl::Status status) {
    on_ended(std::move(status));
    absl::MutexLock lock(&impl->mutex);
    --impl->watches;
  };
  std::shared_ptr<rpc::StreamControl> watch =
      rpc::DialReader<health::HealthCheckRequest, health::HealthCheckResponse>(
          health::HealthCheckRequest(),
          [this](auto* context, const auto* request, auto* reactor) {
            impl_->health_stub->async()->Watch(context, request, reactor);
          },
          {}, std::move(events));
  bool ending = false;
  {
    absl::MutexLock lock(&impl_->mutex);
    ending = impl_->ending;
    impl_->watch = watch;
  }
  if (ending) watch->Close(absl::CancelledError("the mapper stops"));
}

void TwinClient::EndWatch() {
  std::shared_ptr<rpc::StreamControl> watch;
  {
    absl::MutexLock lock(&impl_->mutex);
    watch = std::exchange(impl_->watch, nullptr);
  }
  if (watch != nullptr) watch->Close(absl::CancelledError("no longer watched"));
}

void TwinClient::End() {
  {
    absl::MutexLock lock(&impl_->mutex);
    impl_->ending = true;
    for (grpc::ClientContext* context : impl_->calls) context->TryCancel();
  }
  EndWatch();
  Impl* impl = impl_.get();
  absl::MutexLock lock(&impl->mutex);
  impl->mutex.Await(absl::Condition(
      +[](Impl* i) ABSL_NO_THREAD_SAFETY_ANALYSIS { return i->calls.empty() && i->watches == 0; },
      impl));
}

}  // namespace skerry::mapper
