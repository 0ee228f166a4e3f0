#include "tools/skerryctl/deadletter/router_client.h"

#include <utility>

#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

namespace v1 = router::v1;

constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr int kPageSize = 500;  // With payloads the service gives fewer.

}  // namespace

RouterClient::RouterClient(Endpoint router, std::unique_ptr<v1::RouterService::Stub> stub)
    : router_(std::move(router)), stub_(std::move(stub)) {}

absl::StatusOr<std::unique_ptr<RouterClient>> RouterClient::Connect(const Endpoint& router) {
  SKERRY_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::Channel> channel, ConnectAsOperator(router));
  return std::unique_ptr<RouterClient>(
      new RouterClient(router, v1::RouterService::NewStub(channel)));
}

absl::Status RouterClient::ListDeadLetters(
    const std::string& rule, bool payloads,
    absl::FunctionRef<bool(const router::v1::DeadLetter&)> visit) {
  v1::ListDeadLettersRequest request;
  request.set_rule(rule);
  request.set_payloads(payloads);
  request.set_page_size(kPageSize);
  do {
    v1::ListDeadLettersResponse page;
    SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
      return stub_->ListDeadLetters(context, request, &page);
    })));
    for (const v1::DeadLetter& letter : page.dead_letters()) {
      if (!visit(letter)) return absl::OkStatus();
    }
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

absl::Status RouterClient::ReplayDeadLetter(const std::string& name) {
  v1::ReplayDeadLetterRequest request;
  request.set_name(name);
  v1::ReplayDeadLetterResponse response;
  return Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->ReplayDeadLetter(context, request, &response);
  }));
}

absl::Status RouterClient::DropDeadLetter(const std::string& name) {
  v1::DropDeadLetterRequest request;
  request.set_name(name);
  v1::DropDeadLetterResponse response;
  return Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->DropDeadLetter(context, request, &response);
  }));
}

absl::Status RouterClient::Explain(const absl::Status& status) const {
  const absl::Status explained = ExplainCall(status, "router-svc", router_);
  if (explained.ok()) return explained;
  StepError error = FromStatus(explained);
  if (error.reason == "RULE_QUEUE_FULL") {
    error.exit_code = ExitCode::kRefused;
    error.fix = "its messages wait for the rule's target: mend that, and replay the rest later";
  } else if (error.reason == "DEAD_LETTER_UNKNOWN") {
    error.exit_code = ExitCode::kRefused;
    error.fix = "see which there are: skerryctl deadletter list";
  } else {
    return explained;
  }
  return ToStatus(error);
}

}  // namespace skerry::skerryctl
