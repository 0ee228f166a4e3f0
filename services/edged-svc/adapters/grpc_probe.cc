#include "services/edged-svc/adapters/grpc_probe.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "api/grpc/health/v1/health.grpc.pb.h"
#include "services/edged-svc/core/http_target.h"
#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "services/lib/rpc/deadline.h"

namespace skerry::edged {
namespace {

namespace health = grpc::health::v1;

absl::Status No(absl::string_view message) {
  return Error(absl::StatusCode::kFailedPrecondition, message).Reason("PROBE_FAILED");
}

absl::Status ResultOf(const grpc::Status& status, const health::HealthCheckResponse& response,
                      absl::Duration timeout) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      if (response.status() == health::HealthCheckResponse::SERVING) return absl::OkStatus();
      return No(absl::StrCat("service unhealthy (responded with \"",
                             health::HealthCheckResponse::ServingStatus_Name(response.status()),
                             "\")"));
    case grpc::StatusCode::UNIMPLEMENTED:
      return No(
          absl::StrCat("error: this server does not implement the grpc health protocol "
                       "(grpc.health.v1.Health): ",
                       status.error_message()));
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return No(absl::StrCat("timeout: health rpc did not complete within ",
                             absl::FormatDuration(timeout)));
    default:
      return No(absl::StrCat("error: health rpc probe failed: ", status.error_message()));
  }
}

struct Call {
  std::unique_ptr<health::Health::Stub> stub;
  grpc::ClientContext context;
  health::HealthCheckRequest request;
  health::HealthCheckResponse response;
};

}  // namespace

void GrpcProbes::Check(const std::string& host, int32_t port, const std::string& service,
                       absl::Duration timeout, Done done) {
  rpc::ChannelOptions options;
  options.target = HostAndPort(host, port);
  options.credentials = grpc::InsecureChannelCredentials();  // Pods are on other addresses.
  options.keepalive_interval = absl::InfiniteDuration();
  options.own_connection = true;  // A probe is to connect.
  const absl::StatusOr<std::shared_ptr<grpc::Channel>> channel = rpc::MakeChannel(options);
  if (!channel.ok()) return done(absl::UnavailableError(channel.status().message()));
  auto call = std::make_shared<Call>();
  call->stub = health::Health::NewStub(*channel);
  call->request.set_service(service);
  call->context.set_deadline(rpc::DeadlineIn(timeout));
  if (!calls_->Open(&call->context)) return done(absl::CancelledError("edged stops"));
  call->stub->async()->Check(
      &call->context, &call->request, &call->response,
      [calls = calls_, call, timeout,
       done = std::make_shared<Done>(std::move(done))](const grpc::Status& status) {
        (*done)(ResultOf(status, call->response, timeout));
        calls->Close(&call->context);
      });
}

}  // namespace skerry::edged
