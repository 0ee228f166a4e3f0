// Where local programs leave what they have for the cloud: KubeEdge's ServiceBus endpoint.
#ifndef SKERRY_SERVICES_SERVICEBUS_SVC_ENDPOINT_LOCAL_ENDPOINT_H_
#define SKERRY_SERVICES_SERVICEBUS_SVC_ENDPOINT_LOCAL_ENDPOINT_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/http/server.h"
#include "services/servicebus-svc/metrics.h"
#include "services/servicebus-svc/runner/post_queue.h"
#include "services/servicebus-svc/runner/target_urls.h"

namespace skerry::servicebus {

// POST of KubeEdge's JSON to any path of a loopback address; answered, always with status 200, when
// the post is in the hub's journal, or with code 408 after `timeout` (it may be stored all the
// same). References outlive it.
class LocalEndpoint {
 public:
  struct Options {
    std::string listen = "127.0.0.1:9060";
    absl::Duration timeout = absl::Seconds(60);
  };
  // INVALID_ARGUMENT for an address that is not a loopback one.
  static absl::StatusOr<std::unique_ptr<LocalEndpoint>> Create(
      const Options& options, TargetUrls& targets, PostQueue& posts, exec::SerialExecutor& executor,
      ServiceBusMetrics& metrics, metrics::Registry& registry);

  std::string address() const { return server_->address(); }
  void Shutdown(absl::Time deadline) { server_->Shutdown(deadline); }

 private:
  class Pending;
  LocalEndpoint(const Options& options, TargetUrls& targets, PostQueue& posts,
                exec::SerialExecutor& executor, ServiceBusMetrics& metrics);
  void Handle(const http::Request& request, std::shared_ptr<http::Responder> responder);

  const Options options_;
  TargetUrls& targets_;
  PostQueue& posts_;
  exec::SerialExecutor& executor_;
  ServiceBusMetrics& metrics_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace skerry::servicebus

#endif  // SKERRY_SERVICES_SERVICEBUS_SVC_ENDPOINT_LOCAL_ENDPOINT_H_
