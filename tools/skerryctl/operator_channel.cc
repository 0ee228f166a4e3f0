#include "tools/skerryctl/operator_channel.h"

#include "absl/strings/str_cat.h"
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

absl::Status ExplainCall(const absl::Status& status, absl::string_view service,
                         const Endpoint& endpoint) {
  if (status.ok()) return status;
  StepError error = FromStatus(status);
  error.step = absl::StrCat("ask ", service);
  error.expected = absl::StrCat("an answer at ", endpoint.address);
  if (error.exit_code == ExitCode::kUnreachable && error.reason.empty()) {
    error.fix = absl::StrCat(
        "is ", service, " running, is ", endpoint.address,
        " its listen address, is that name in its certificate, and is the certificate of its CA?");
  } else if (error.exit_code == ExitCode::kRefused) {
    error.fix = "use a certificate with O=skerry:operators";
  } else if (error.exit_code == ExitCode::kUnreachable) {
    error.exit_code = ExitCode::kFailed;  // It was reached, and said so of somebody behind it.
  }
  return ToStatus(error);
}

}  // namespace skerry::skerryctl
