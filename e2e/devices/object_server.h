// edge-meta-svc as its watchers see it: objects that a test lays out.
#ifndef SKERRY_E2E_DEVICES_OBJECT_SERVER_H_
#define SKERRY_E2E_DEVICES_OBJECT_SERVER_H_

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/meta/v1/meta_service.grpc.pb.h"

namespace skerry::e2e {

// Any thread may call it. Watches begin with all objects, whatever token they have.
class ObjectServer final : public meta::v1::MetaService::Service {
 public:
  explicit ObjectServer(const std::string& address);
  ~ObjectServer() override;

  // Empty JSON: it is deleted.
  void Put(const std::string& type, const std::string& key, const std::string& json);

  grpc::Status WatchObjects(grpc::ServerContext* context,
                            const meta::v1::WatchObjectsRequest* request,
                            grpc::ServerWriter<meta::v1::WatchObjectsResponse>* writer) override;

 private:
  using Objects = std::map<std::pair<std::string, std::string>, std::string>;

  absl::Mutex mutex_;
  Objects objects_ ABSL_GUARDED_BY(mutex_);
  bool over_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace skerry::e2e

#endif  // SKERRY_E2E_DEVICES_OBJECT_SERVER_H_
