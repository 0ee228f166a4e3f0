// EdgedService: edged's view of the box, for operators.
#ifndef SKERRY_SERVICES_EDGED_SVC_SERVICE_H_
#define SKERRY_SERVICES_EDGED_SVC_SERVICE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/skerry/edged/v1/edged_service.pb.h"
#include "services/edged-svc/adapters/cgroup_usage.h"
#include "services/edged-svc/runner/pod_manager.h"
#include "services/lib/exec/thread_pool.h"

namespace grpc {
class Service;
}  // namespace grpc

namespace skerry::edged {

// Where the answers come from; all of it outlives the service.
struct EdgedAnswers {
  std::function<void(v1::EdgedStatus& status)> fill;          // From memory, on gRPC's threads.
  std::function<std::vector<PodManager::PodSummary>()> pods;  // By key. From memory.
  // Reads the kernel's counters, on the pool.
  std::function<std::optional<CgroupUsage>(const std::string& cgroup)> usage;
};

// pool: outlives the service. ListPods runs there; a full one is RESOURCE_EXHAUSTED / SERVER_BUSY.
std::unique_ptr<grpc::Service> MakeEdgedService(EdgedAnswers answers, exec::ThreadPool& pool);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_SERVICE_H_
