#include "services/servicebus-svc/runner/service_caller.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/http_allow_list.h"
#include "services/lib/base/http_url.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/end_to_end.h"
#include "services/servicebus-svc/core/call_check.h"

namespace skerry::servicebus {
namespace {

constexpr absl::Duration kAnswerMargin = absl::Milliseconds(50);
constexpr size_t kResultBytesMax = 256u << 10;  // Of a command's response.

absl::Status Stopping() {
  return Error(absl::StatusCode::kUnavailable, "servicebus-svc is stopping").Reason("DRAINING");
}

absl::Status NotAllowed(absl::string_view method, const HttpUrl& url) {
  return Error(
             absl::StatusCode::kPermissionDenied,
             absl::StrCat("this box does not allow ", method, " ", url.scheme, "://", url.host, ":",
                          url.port, url.path, ": add it to servicebus-svc's setting calls.allowed"))
      .Reason("CALL_NOT_ALLOWED");
}

absl::StatusOr<std::string> Write(const http::CallAnswer& answer) {
  v1::HttpResult result;
  result.set_status(answer.status);
  for (const auto& [name, value] : answer.headers) {
    v1::Header& header = *result.add_headers();
    header.set_name(name);
    header.set_value(value);
  }
  result.set_body(answer.body);
  if (result.ByteSizeLong() > kResultBytesMax) {
    return Error(absl::StatusCode::kResourceExhausted,
                 absl::StrCat("the service was called and answered ", answer.status, " with ",
                              answer.body.size(), " bytes: with its headers that is more than the ",
                              kResultBytesMax, " that go to the cloud"))
        .Reason("HTTP_ANSWER_TOO_LARGE");
  }
  return result.SerializeAsString();
}

}  // namespace

ServiceCaller::ServiceCaller(Options options, HttpAllowList allowed, http::Caller& caller,
                             Clock& clock, ServiceBusMetrics& metrics)
    : options_(options),
      allowed_(std::move(allowed)),
      caller_(caller),
      clock_(clock),
      metrics_(metrics),
      pool_("calls", options.workers, options.waiting_max) {}

ServiceCaller::~ServiceCaller() { Stop(); }

absl::StatusOr<http::Call> ServiceCaller::Read(const hubclient::Command& command) const {
  v1::HttpCall message;
  if (!message.ParseFromString(command.payload)) {
    return Error(absl::StatusCode::kInvalidArgument, "not a skerry.servicebus.v1.HttpCall")
        .Reason("CALL_INVALID");
  }
  http::Call call{.method = message.method()};
  SKERRY_ASSIGN_OR_RETURN(const HttpUrl url, ParseHttpUrl("url", message.url()));
  call.url = ToText(url);
  bool has_key = false;
  for (const v1::Header& header : message.headers()) {
    if (!http::IsHeaderName(header.name()) || !http::IsHeaderValue(header.value())) {
      return InvalidField("headers", header.name().substr(0, 128),
                          "use a token as the name and no control characters in the value")
          .Reason("CALL_INVALID");
    }
    has_key = has_key || absl::EqualsIgnoreCase(header.name(), "idempotency-key");
    call.headers.emplace_back(header.name(), header.value());
  }
  SKERRY_RETURN_IF_ERROR(CheckCall(call.method, call.headers));
  if (!allowed_.Allows(call.method, url)) return NotAllowed(call.method, url);
  if (!has_key && http::IsHeaderValue(command.key))
    call.headers.emplace_back("Idempotency-Key", command.key);
  call.body = std::move(*message.mutable_body());
  return call;
}

void ServiceCaller::Call(hubclient::Command command, Done done) {
  absl::StatusOr<http::Call> call = Read(command);
  if (!call.ok()) {
    metrics_.Call("refused");
    return done(call.status(), "");
  }
  bool draining = false;
  {
    absl::MutexLock lock(&mutex_);
    draining = draining_;
    if (!draining) ++tasks_;
  }
  if (draining) {
    metrics_.Call("busy");
    return done(Stopping(), "");
  }
  auto task = std::make_shared<Task>(
      Task{.key = command.key,
           .call = *std::move(call),
           .until = clock_.Monotonic() + std::min(command.deadline, options_.timeout_max),
           .done = std::move(done)});
  if (pool_.TrySubmit([this, task] { Run(std::move(*task)); })) return;
  {
    absl::MutexLock lock(&mutex_);
    --tasks_;
  }
  metrics_.Call("busy");
  task->done(Error(absl::StatusCode::kResourceExhausted,
                   absl::StrCat(options_.workers, " calls of services run and ",
                                options_.waiting_max, " wait: try again later"))
                 .Reason("CALLS_BUSY"),
             "");
}

void ServiceCaller::Run(Task task) {
  metrics_.calls_running.Increment();
  Perform(task);
  metrics_.calls_running.Decrement();
  absl::MutexLock lock(&mutex_);
  --tasks_;
}

void ServiceCaller::Perform(Task& task) {
  const absl::Duration began = clock_.Monotonic();
  if (stop_.stop_requested()) {
    metrics_.Call("busy");
    return task.done(Stopping(), "");
  }
  task.call.timeout = task.until - began;
  if (task.call.timeout <= absl::ZeroDuration()) {
    metrics_.Call("busy");
    return task.done(
        Error(absl::StatusCode::kResourceExhausted,
              "the call's time was over before its turn came: the service was not called")
            .Reason("CALLS_BUSY"),
        "");
  }
  // So that it is this service's word, which says more, that reaches the sender, not the hub's.
  task.call.timeout -= std::min(kAnswerMargin, task.call.timeout / 10);
  task.call.stop = stop_.get_token();
  const absl::StatusOr<http::CallAnswer> answer = caller_.Perform(task.call);
  metrics_.call_seconds.Observe(absl::ToDoubleSeconds(clock_.Monotonic() - began));
  if (absl::IsCancelled(answer.status())) return metrics_.Call("unknown");
  absl::StatusOr<std::string> response = answer.ok() ? Write(*answer) : answer.status();
  metrics_.Call(response.ok() ? "done" : ResultOf(response.status()));
  if (response.ok()) return task.done(absl::OkStatus(), *std::move(response));
  task.done(response.status(), "");
}

void ServiceCaller::Drain(absl::Duration deadline) {
  absl::MutexLock lock(&mutex_);
  draining_ = true;
  clock_.AwaitUntil(
      mutex_,
      absl::Condition(
          +[](ServiceCaller* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->tasks_ == 0; },
          this),
      deadline);
}

void ServiceCaller::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
  }
  stop_.request_stop();
  pool_.Stop();
}

}  // namespace skerry::servicebus
