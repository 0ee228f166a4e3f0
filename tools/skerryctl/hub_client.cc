#include "tools/skerryctl/hub_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/rpc/channel.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {
namespace {

constexpr absl::Duration kTimeout = absl::Seconds(10);
constexpr int kPageSize = 500;

}  // namespace

HubClient::HubClient(Endpoint options, std::unique_ptr<cloudhub::v1::AdminService::Stub> stub)
    : options_(std::move(options)), stub_(std::move(stub)) {}

absl::StatusOr<std::unique_ptr<HubClient>> HubClient::Connect(const Endpoint& options) {
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<grpc::Channel> channel, ConnectAsOperator(options));
  return std::unique_ptr<HubClient>(
      new HubClient(options, cloudhub::v1::AdminService::NewStub(channel)));
}

absl::StatusOr<cloudhub::v1::CreateJoinTokenResponse> HubClient::CreateToken(
    const cloudhub::v1::CreateJoinTokenRequest& request) {
  cloudhub::v1::CreateJoinTokenResponse response;
  SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->CreateJoinToken(context, request, &response);
  })));
  return response;
}

absl::StatusOr<std::vector<cloudhub::v1::JoinToken>> HubClient::ListTokens() {
  std::vector<cloudhub::v1::JoinToken> tokens;
  cloudhub::v1::ListJoinTokensRequest request;
  request.set_page_size(kPageSize);
  do {
    cloudhub::v1::ListJoinTokensResponse response;
    SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
      return stub_->ListJoinTokens(context, request, &response);
    })));
    tokens.insert(tokens.end(), response.tokens().begin(), response.tokens().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return tokens;
}

absl::Status HubClient::RevokeToken(const std::string& name) {
  cloudhub::v1::RevokeJoinTokenRequest request;
  request.set_name(name);
  cloudhub::v1::RevokeJoinTokenResponse response;
  return Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->RevokeJoinToken(context, request, &response);
  }));
}

absl::StatusOr<std::vector<cloudhub::v1::NodeSessionInfo>> HubClient::ListSessions() {
  std::vector<cloudhub::v1::NodeSessionInfo> sessions;
  cloudhub::v1::ListNodeSessionsRequest request;
  request.set_page_size(kPageSize);
  do {
    cloudhub::v1::ListNodeSessionsResponse response;
    SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
      return stub_->ListNodeSessions(context, request, &response);
    })));
    sessions.insert(sessions.end(), response.sessions().begin(), response.sessions().end());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  return sessions;
}

absl::Status HubClient::DrainHub(int nodes_per_second) {
  cloudhub::v1::DrainHubRequest request;
  request.set_nodes_per_second(nodes_per_second);
  cloudhub::v1::DrainHubResponse response;
  return Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->DrainHub(context, request, &response);
  }));
}

absl::Status HubClient::UndrainHub() {
  cloudhub::v1::UndrainHubRequest request;
  cloudhub::v1::UndrainHubResponse response;
  return Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->UndrainHub(context, request, &response);
  }));
}

absl::StatusOr<cloudhub::v1::Hub> HubClient::GetHub() {
  cloudhub::v1::GetHubRequest request;
  cloudhub::v1::Hub hub;
  SKERRY_RETURN_IF_ERROR(Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    return stub_->GetHub(context, request, &hub);
  })));
  return hub;
}

absl::Status HubClient::SetNodeDisabled(const std::string& node, bool disabled) {
  return Explain(rpc::CallUnary(kTimeout, [&](grpc::ClientContext* context) {
    if (disabled) {
      cloudhub::v1::DisableNodeRequest request;
      request.set_node(node);
      cloudhub::v1::DisableNodeResponse response;
      return stub_->DisableNode(context, request, &response);
    }
    cloudhub::v1::EnableNodeRequest request;
    request.set_node(node);
    cloudhub::v1::EnableNodeResponse response;
    return stub_->EnableNode(context, request, &response);
  }));
}

absl::Status HubClient::Explain(const absl::Status& status) const {
  if (status.ok()) return status;
  StepError error = FromStatus(status);
  error.step = "ask the hub";
  error.expected = absl::StrCat("an answer of AdminService at ", options_.address);
  if (error.exit_code == ExitCode::kUnreachable) {
    error.fix = absl::StrCat(
        "is cloudhub-svc running, is ", options_.address,
        " its api.listen address, is that name in its tls.sans, and is the certificate of its CA?");
  } else if (error.exit_code == ExitCode::kRefused) {
    error.fix = "use a certificate with O=skerry:operators";
  } else if (error.reason == "NO_REPLICAS") {
    error.exit_code = ExitCode::kRefused;
  } else if (error.reason == "NODES_NOT_KNOWN") {
    error.exit_code = ExitCode::kRefused;
    error.fix =
        "make a token for one node, with --node <name>; or, if every node has linked (compare "
        "skerryctl status --cloud with kubectl get nodes), say so with --nodes-known";
  }
  return ToStatus(error);
}

}  // namespace skerry::skerryctl
