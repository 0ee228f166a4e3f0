#include "services/router-svc/gateway/rest_gateway.h"

#include <cstdint>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "api/skerry/eventbus/v1/user_message.pb.h"
#include "api/skerry/servicebus/v1/http_call.pb.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/end_to_end.h"

namespace skerry::router {
namespace {

constexpr size_t kPayloadBytesMax = 252u << 10;  // Of a UserMessage, and of a call's body.
constexpr size_t kCommandBytesMax = 256u << 10;
constexpr size_t kHeadersMax = 64;
constexpr size_t kKeyBytesMax = 64;

std::string RandomKey() {
  absl::BitGen random;
  return absl::StrFormat("rest-%016x%016x", absl::Uniform<uint64_t>(random),
                         absl::Uniform<uint64_t>(random));
}

// Of the request's header where it has one, for its rule alone: another rule's caller can't meet
// it.
absl::StatusOr<std::string> KeyOf(const http::Request& request, const Route& route) {
  const std::string key = request.Header("idempotency-key");
  if (key.empty()) return RandomKey();
  if (key.size() > kKeyBytesMax) {
    return InvalidField("Idempotency-Key", key.substr(0, 128),
                        absl::StrCat("use at most ", kKeyBytesMax, " bytes"))
        .Reason("REQUEST_INVALID");
  }
  return absl::StrCat("rule-", route.uid.substr(0, 40), "-", key);
}

std::string Publish(http::Request& request, std::string topic) {
  eventbus::v1::UserMessage message;
  message.set_topic(std::move(topic));
  message.set_payload(std::move(request.body));
  return message.SerializeAsString();
}

// Credentials of this hop are not the service's to see.
bool IsPassedOn(const std::string& name) {
  return name != "authorization" && name != "idempotency-key" && name != "cookie";
}

absl::StatusOr<std::string> Call(http::Request& request, std::string url) {
  servicebus::v1::HttpCall call;
  call.set_method(request.method);
  call.set_url(std::move(url));
  for (const auto& [name, value] :
       http::EndToEnd({request.headers.begin(), request.headers.end()})) {
    if (!IsPassedOn(name) || !http::IsHeaderName(name)) continue;
    if (static_cast<size_t>(call.headers_size()) == kHeadersMax) {
      return InvalidField("headers", absl::StrCat(request.headers.size()),
                          absl::StrCat("send at most ", kHeadersMax))
          .Reason("REQUEST_INVALID");
    }
    servicebus::v1::Header& header = *call.add_headers();
    header.set_name(name);
    header.set_value(value);
  }
  if (const std::string key = request.Header("idempotency-key"); !key.empty()) {
    servicebus::v1::Header& header = *call.add_headers();
    header.set_name("Idempotency-Key");
    header.set_value(key);
  }
  call.set_body(std::move(request.body));
  if (call.ByteSizeLong() > kCommandBytesMax) {
    return InvalidField("body and headers", absl::StrCat(call.ByteSizeLong(), " bytes"),
                        absl::StrCat("send at most ", kCommandBytesMax))
        .Reason("REQUEST_TOO_LARGE");
  }
  return call.SerializeAsString();
}

http::Response Text(int status, absl::string_view text) {
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
          .body = absl::StrCat(text, "\n")};
}

http::Response Failure(const absl::Status& status) {
  const std::string reason = GetErrorInfo(status).reason;
  http::Response response = Text(
      HttpStatusOf(status), absl::StrCat(reason, reason.empty() ? "" : ": ", status.message()));
  if (response.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

// What the box said of a call.
absl::StatusOr<http::Response> Answer(const Route& route, const std::string& response) {
  if (route.target == EndpointType::kEventBus) return Text(200, "message delivered");
  servicebus::v1::HttpResult result;
  if (!result.ParseFromString(response) || result.status() < 200 || result.status() > 599)
    return Error(absl::StatusCode::kInternal, "the box's answer can't be read")
        .Reason("ANSWER_MALFORMED");
  http::Response answer{.status = result.status()};
  for (const servicebus::v1::Header& header : result.headers()) {
    if (http::IsHeaderName(header.name()) && http::IsHeaderValue(header.value()))
      answer.headers.emplace_back(header.name(), header.value());
  }
  answer.headers = http::EndToEnd(answer.headers);
  answer.body = std::move(*result.mutable_body());
  return answer;
}

}  // namespace

int HttpStatusOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return GetErrorInfo(status).reason == "REQUEST_TOO_LARGE" ? 413 : 400;
    case absl::StatusCode::kUnauthenticated:
      return 401;
    case absl::StatusCode::kPermissionDenied:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kResourceExhausted:
      return GetErrorInfo(status).reason == "HTTP_ANSWER_TOO_LARGE" ? 502 : 429;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kDeadlineExceeded:
      return 504;
    default:
      return 500;
  }
}

RestGateway::RestGateway(const Options& options, RuleBook& rules, RestAccess& access,
                         CommandSender& sender, RouterMetrics& metrics)
    : options_(options), rules_(rules), access_(access), sender_(sender), metrics_(metrics) {}

absl::StatusOr<std::unique_ptr<RestGateway>> RestGateway::Create(
    const Options& options, RuleBook& rules, RestAccess& access, CommandSender& sender,
    RouterMetrics& metrics, metrics::Registry& registry) {
  std::unique_ptr<RestGateway> gateway(new RestGateway(options, rules, access, sender, metrics));
  SKERRY_ASSIGN_OR_RETURN(
      gateway->server_,
      http::Server::Create(
          {.listen = options.listen,
           .cert_file = options.cert_file,
           .key_file = options.key_file,
           .client_ca_file = options.client_ca_file,
           .client_certificates = options.client_ca_file.empty()
                                      ? http::ClientCertificates::kNone
                                      : http::ClientCertificates::kOptional,
           .body_bytes_max = kPayloadBytesMax,
           .workers = 2,
           .header_bytes_max = 16u << 10,
           .bodies_bytes_max = 64u << 20,
           .registry = &registry},
          [self = gateway.get()](http::Request request,
                                 const std::shared_ptr<http::Responder>& responder) {
            self->Handle(std::move(request), responder);
          }));
  return gateway;
}

absl::StatusOr<NodeCommand> RestGateway::MakeCommand(http::Request& request,
                                                     const RestTarget& target,
                                                     const RestMatch& match) const {
  NodeCommand command{.node = target.node, .deadline = options_.timeout};
  SKERRY_ASSIGN_OR_RETURN(command.key, KeyOf(request, *match.route));
  if (match.route->target == EndpointType::kEventBus) {
    SKERRY_ASSIGN_OR_RETURN(std::string topic, TopicOf(match));
    command.type = "mqttpublish";
    command.payload = Publish(request, std::move(topic));
  } else {
    SKERRY_ASSIGN_OR_RETURN(std::string url, ServiceUrlOf(match, target));
    command.type = "http";
    SKERRY_ASSIGN_OR_RETURN(command.payload, Call(request, std::move(url)));
  }
  return command;
}

void RestGateway::Handle(http::Request request, const std::shared_ptr<http::Responder>& responder) {
  const absl::StatusOr<RestTarget> target = ParseRestTarget(request.target);
  if (!target.ok()) {
    metrics_.Request("refused");
    return responder->Send(Failure(target.status()));
  }
  // Who is not known learns nothing of the rules.
  if (absl::Status allowed = access_.Check(request, target->object_namespace); !allowed.ok()) {
    metrics_.Request("unauthorized");
    return responder->Send(Failure(allowed));
  }
  const std::shared_ptr<const RouteTable> table = rules_.Table();
  const RestMatch match = table->FindRest(*target);
  if (match.route == nullptr) {
    metrics_.Request("no_rule");
    return responder->Send(Failure(
        Error(absl::StatusCode::kNotFound,
              absl::StrCat("no rule of namespace ", target->object_namespace, " has this path"))
            .Reason("NO_RULE")));
  }
  absl::StatusOr<NodeCommand> command = MakeCommand(request, *target, match);
  if (!command.ok()) {
    metrics_.Request("refused");
    rules_.Failed(match.route->rule, command.status().message());
    return responder->Send(Failure(command.status()));
  }
  if (waiting_.fetch_add(1) >= options_.requests_max) {
    waiting_.fetch_sub(1);
    metrics_.Request("busy");
    return responder->Send(Failure(
        Error(absl::StatusCode::kResourceExhausted,
              absl::StrCat(options_.requests_max, " requests wait for boxes: try again later"))
            .Reason("REQUESTS_BUSY")));
  }
  sender_.Send(*std::move(command),
               [this, responder, table, route = match.route](absl::StatusOr<std::string> response) {
                 waiting_.fetch_sub(1);
                 absl::StatusOr<http::Response> answer =
                     response.ok() ? Answer(*route, *response) : response.status();
                 metrics_.Request(answer.ok() ? "done" : "failed");
                 if (!answer.ok()) {
                   rules_.Failed(route->rule, answer.status().message());
                   return responder->Send(Failure(answer.status()));
                 }
                 rules_.Succeeded(route->rule, 1);
                 responder->Send(*std::move(answer));
               });
}

}  // namespace skerry::router
