// What the parts of CriRuntime share.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_IMPL_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_IMPL_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/runtime/v1/runtime.grpc.pb.h"
#include "services/edged-svc/adapters/cri_runtime.h"
#include "services/edged-svc/adapters/open_calls.h"

namespace skerry::edged {

namespace cri = runtime::v1;

// As the kubelet's: 2 min for most, twice that where the network is set up.
inline constexpr absl::Duration kCallTimeout = absl::Minutes(2);
inline constexpr absl::Duration kListTimeout = absl::Seconds(30);

inline absl::Status OkIfNotFound(absl::Status status) {
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

struct CriRuntime::Impl {
  CriOptions options;
  std::unique_ptr<cri::RuntimeService::Stub> pods;
  std::unique_ptr<cri::ImageService::Stub> images;

  absl::Mutex mutex;
  std::map<std::string, ContainerView> details ABSL_GUARDED_BY(mutex);  // By container id.
  std::map<std::string, std::vector<std::string>> addresses
      ABSL_GUARDED_BY(mutex);  // By sandbox id.
  OpenCalls calls;

  // rpc::CallUnary, which EndCalls ends.
  absl::Status Unary(absl::Duration timeout,
                     absl::FunctionRef<grpc::Status(grpc::ClientContext*)> call);
  absl::StatusOr<ContainerView> Inspect(const cri::Container& listed);
  absl::StatusOr<std::vector<std::string>> Addresses(const std::string& sandbox_id);
  // Names and ids of images by which containers call them.
  absl::StatusOr<std::set<std::string>> ImagesInUse();
  // Empty: unknown, or it is not on this box.
  absl::StatusOr<std::string> SandboxImageId(CriRuntime& runtime);
};

// One call in the background: its messages live until it has ended.
template <typename Request, typename Response>
struct Call {
  grpc::ClientContext context;  // NOLINT(call-deadline): who makes the call sets it.
  Request request;
  Response response;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_CRI_IMPL_H_
