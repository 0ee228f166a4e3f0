#include "tools/skerryctl/operator_channel.h"

#include "services/lib/base/error.h"
#include "services/lib/rpc/channel.h"
#include "tools/skerryctl/step_error.h"

namespace skerry::skerryctl {

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectAsOperator(const Endpoint& endpoint) {
  auto credentials = security::MutualTlsClient(endpoint.tls);
  if (!credentials.ok()) {
    return ToStatus(
        {.exit_code = ExitCode::kLocalFiles,
         .step = "read the operator's certificate",
         .expected = "--ca, --cert and --key in PEM form",
         .seen = std::string(credentials.status().message()),
         .fix = "on the hub they are <state_dir>/clients/{ca.crt,operator.crt,operator.key}",
         .reason = GetErrorInfo(credentials.status()).reason});
  }
  return rpc::MakeChannel({.target = endpoint.address,
                           .credentials = *credentials,
                           .server_name = endpoint.server_name});
}

}  // namespace skerry::skerryctl
