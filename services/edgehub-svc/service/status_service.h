// EdgeHubService: the state of this hub, for skerryctl and doctors.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_STATUS_SERVICE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_STATUS_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "services/edgehub-svc/hub/edge_hub.h"
#include "services/lib/exec/thread_pool.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::edgehub {

// What the status tells beside the hub's own state.
struct StatusFacts {
  std::string node;
  std::string cloud_address;
  int64_t journal_bytes_max = 0;
  std::function<absl::Time()> certificate_expire_time;  // Any thread; may read the file.
};

// `hub` and `pool` outlive the server that serves it.
std::unique_ptr<grpc::Service> MakeStatusService(EdgeHub& hub, exec::ThreadPool& pool,
                                                 StatusFacts facts);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_SERVICE_STATUS_SERVICE_H_
