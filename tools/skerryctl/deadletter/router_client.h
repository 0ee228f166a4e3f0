// router-svc's RouterService, for the commands of operators.
#ifndef SKERRY_TOOLS_SKERRYCTL_DEADLETTER_ROUTER_CLIENT_H_
#define SKERRY_TOOLS_SKERRYCTL_DEADLETTER_ROUTER_CLIENT_H_

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/skerry/router/v1/router_service.grpc.pb.h"
#include "tools/skerryctl/operator_channel.h"

namespace skerry::skerryctl {

// Blocking calls with a deadline of 10 s each. Used by one thread. Errors are StepErrors.
class RouterClient {
 public:
  static absl::StatusOr<std::unique_ptr<RouterClient>> Connect(const Endpoint& router);

  // `visit` sees them a page at a time, in the order in which they died, until it says false.
  // An empty rule: of all rules.
  absl::Status ListDeadLetters(const std::string& rule, bool payloads,
                               absl::FunctionRef<bool(const router::v1::DeadLetter&)> visit);
  absl::Status ReplayDeadLetter(const std::string& name);
  absl::Status DropDeadLetter(const std::string& name);

 private:
  RouterClient(Endpoint router, std::unique_ptr<router::v1::RouterService::Stub> stub);
  absl::Status Explain(const absl::Status& status) const;

  const Endpoint router_;
  const std::unique_ptr<router::v1::RouterService::Stub> stub_;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DEADLETTER_ROUTER_CLIENT_H_
