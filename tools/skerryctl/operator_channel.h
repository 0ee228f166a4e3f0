// mTLS to a service of the cloud, as an operator.
#ifndef SKERRY_TOOLS_SKERRYCTL_OPERATOR_CHANNEL_H_
#define SKERRY_TOOLS_SKERRYCTL_OPERATOR_CHANNEL_H_

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/security/tls.h"

namespace skerry::skerryctl {

struct Endpoint {
  std::string address;
  security::TlsFiles tls;   // An operator's certificate (O=skerry:operators).
  std::string server_name;  // In the service's certificate; empty: the host of `address`.
};

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectAsOperator(const Endpoint& endpoint);

// What a call to `service` at `endpoint` ended with, as a StepError.
absl::Status ExplainCall(const absl::Status& status, absl::string_view service,
                         const Endpoint& endpoint);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_OPERATOR_CHANNEL_H_
