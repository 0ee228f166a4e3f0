#include "services/servicebus-svc/endpoint/local_endpoint.h"

#include <atomic>
#include <utility>

#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/servicebus-svc/core/local_post.h"

namespace skerry::servicebus {
namespace {

void Answer(http::Responder& responder, const absl::Status& status) {
  responder.Send({.status = 200,
                  .headers = {{"Content-Type", "application/json"}},
                  .body = LocalAnswer(status)});
}

}  // namespace

// A post that is on its way: answered once, by the hub or by its timer.
class LocalEndpoint::Pending {
 public:
  Pending(std::shared_ptr<http::Responder> responder, ServiceBusMetrics& metrics)
      : responder_(std::move(responder)), metrics_(metrics) {}

  void Finish(const absl::Status& status, absl::string_view result) {
    if (answered_.exchange(true)) return;
    metrics_.Post(result);
    Answer(*responder_, status);
    responder_ = nullptr;
  }

 private:
  std::shared_ptr<http::Responder> responder_;
  ServiceBusMetrics& metrics_;
  std::atomic<bool> answered_ = false;
};

LocalEndpoint::LocalEndpoint(const Options& options, TargetUrls& targets, PostQueue& posts,
                             exec::SerialExecutor& executor, ServiceBusMetrics& metrics)
    : options_(options), targets_(targets), posts_(posts), executor_(executor), metrics_(metrics) {}

absl::StatusOr<std::unique_ptr<LocalEndpoint>> LocalEndpoint::Create(
    const Options& options, TargetUrls& targets, PostQueue& posts, exec::SerialExecutor& executor,
    ServiceBusMetrics& metrics, metrics::Registry& registry) {
  auto endpoint =
      std::unique_ptr<LocalEndpoint>(new LocalEndpoint(options, targets, posts, executor, metrics));
  SKERRY_ASSIGN_OR_RETURN(
      endpoint->server_,
      http::Server::Create({.listen = options.listen,
                            .body_bytes_max = 2 * kPayloadBytesMax,  // Escapes in JSON.
                            .connections_max = 64,
                            .workers = 1,
                            .queue_max = 64,
                            .header_bytes_max = 8u << 10,
                            .bodies_bytes_max = 8u << 20,
                            .registry = &registry},
                           [self = endpoint.get()](http::Request request,
                                                   std::shared_ptr<http::Responder> responder) {
                             self->Handle(request, std::move(responder));
                           }));
  return endpoint;
}

void LocalEndpoint::Handle(const http::Request& request,
                           std::shared_ptr<http::Responder> responder) {
  absl::StatusOr<LocalPost> post =
      request.method == "POST"
          ? ReadLocalPost(request.body,
                          [this](const std::string& url) { return targets_.Has(url); })
          : Error(absl::StatusCode::kInvalidArgument, "only POST is taken").Reason("POST_INVALID");
  auto pending = std::make_shared<Pending>(std::move(responder), metrics_);
  if (!post.ok()) return pending->Finish(post.status(), "refused");
  const exec::SerialExecutor::TimerId timer = executor_.PostAfter(options_.timeout, [pending] {
    pending->Finish(Error(absl::StatusCode::kDeadlineExceeded,
                          "edgehub-svc has not stored it in time; it may still do so")
                        .Reason("POST_LATE"),
                    "late");
  });
  posts_.Put(*post, [this, pending, timer](const absl::Status& status) {
    executor_.Cancel(timer);
    pending->Finish(status, status.ok() ? "stored" : "busy");
  });
}

}  // namespace skerry::servicebus
