// The gRPC surface: skerry.meta.v1.MetaService.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_SERVICE_H_
#define SKERRY_SERVICES_EDGE_META_SVC_SERVICE_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"
#include "services/edge-meta-svc/metrics.h"
#include "services/edge-meta-svc/store/meta_store.h"
#include "services/edge-meta-svc/watch_server.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"

namespace skerry::edgemeta {

// Stateless: answers from the store, on `pool` because the store may block. Everything given
// outlives it.
class MetaServiceImpl final : public meta::v1::MetaService::CallbackService {
 public:
  struct Neighbours {
    std::function<void()> reports_changed;                         // A report was stored.
    std::function<bool()> attached;                                // To edgehub-svc.
    std::function<absl::Duration(absl::string_view type)> behind;  // The cloud's objects.
  };
  struct Types {
    std::vector<std::string> resources;
    std::set<std::string> reports;
  };

  MetaServiceImpl(Types types, Neighbours neighbours, MetaStore& store, WatchServer& watches,
                  exec::ThreadPool& pool, Clock& clock, MetaMetrics& metrics);

  grpc::ServerUnaryReactor* GetObject(grpc::CallbackServerContext* context,
                                      const meta::v1::GetObjectRequest* request,
                                      meta::v1::Object* response) override;
  grpc::ServerUnaryReactor* ListObjects(grpc::CallbackServerContext* context,
                                        const meta::v1::ListObjectsRequest* request,
                                        meta::v1::ListObjectsResponse* response) override;
  grpc::ServerWriteReactor<meta::v1::WatchObjectsResponse>* WatchObjects(
      grpc::CallbackServerContext* context, const meta::v1::WatchObjectsRequest* request) override;
  grpc::ServerUnaryReactor* PutReport(grpc::CallbackServerContext* context,
                                      const meta::v1::PutReportRequest* request,
                                      meta::v1::PutReportResponse* response) override;
  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const meta::v1::GetStatusRequest* request,
                                      meta::v1::MetaStatus* response) override;

 private:
  absl::Status FillList(const meta::v1::ListObjectsRequest& request,
                        meta::v1::ListObjectsResponse& response);
  absl::Status StoreReport(const meta::v1::PutReportRequest& request);
  absl::Status FillStatus(meta::v1::MetaStatus& status);

  const Types types_;
  const Neighbours neighbours_;
  MetaStore& store_;
  WatchServer& watches_;
  exec::ThreadPool& pool_;
  Clock& clock_;
  MetaMetrics& metrics_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_SERVICE_H_
