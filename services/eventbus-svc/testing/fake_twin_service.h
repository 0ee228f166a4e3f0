// twin-svc for tests: keeps twins in memory, by the rules that MQTT clients can see.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_TESTING_FAKE_TWIN_SERVICE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_TESTING_FAKE_TWIN_SERVICE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/skerry/twin/v1/twin_service.grpc.pb.h"

namespace grpc {
class Server;
}

namespace skerry::eventbus {

// Serves at a Unix socket until destroyed. Any thread.
class FakeTwinService final : public twin::v1::TwinService::Service {
 public:
  explicit FakeTwinService(const std::string& listen);
  ~FakeTwinService() override;

  // "plant/pump-1".
  void AddDevice(const std::string& device, const std::string& uid = "u1");
  void RemoveDevice(const std::string& device);
  // As a mapper, or the cloud, does; watchers are told.
  void SetReported(const std::string& device, const std::string& property,
                   const std::string& value);
  void SetDesired(const std::string& device, const std::string& property, const std::string& value);
  twin::v1::Twin Get(const std::string& device);
  int writes();
  // How many writes each call had.
  std::vector<int> calls();
  // From now on calls of many writes end with it.
  void RefuseMany(absl::Status status);
  // Of writes that come together, all but the first so many are answered with ANSWER_FULL.
  void LimitAnswers(int count);
  // From now on writes end with it; OK: they are done.
  void Refuse(absl::Status status);
  // Writes are held until it is false.
  void Hold(bool held);
  // False after 20 s without a write that is held.
  bool AwaitHeld();

  grpc::Status GetTwin(grpc::ServerContext* context, const twin::v1::GetTwinRequest* request,
                       twin::v1::Twin* response) override;
  grpc::Status WriteTwin(grpc::ServerContext* context, const twin::v1::WriteTwinRequest* request,
                         twin::v1::WriteTwinResponse* response) override;
  grpc::Status BatchWriteTwins(grpc::ServerContext* context,
                               const twin::v1::BatchWriteTwinsRequest* request,
                               twin::v1::BatchWriteTwinsResponse* response) override;
  grpc::Status ReportState(grpc::ServerContext* context,
                           const twin::v1::ReportStateRequest* request,
                           twin::v1::DeviceState* response) override;
  grpc::Status WatchTwins(grpc::ServerContext* context, const twin::v1::WatchTwinsRequest* request,
                          grpc::ServerWriter<twin::v1::WatchTwinsResponse>* writer) override;

 private:
  absl::Status WriteOne(const twin::v1::WriteTwinRequest& request,
                        twin::v1::WriteTwinResponse& response)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitRelease() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Change(const std::string& name, absl::FunctionRef<void(twin::v1::Twin&)> change)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex mutex_;
  std::map<std::string, twin::v1::Twin> twins_ ABSL_GUARDED_BY(mutex_);  // By name.
  std::map<std::string, uint64_t> changed_ ABSL_GUARDED_BY(mutex_);      // Last change, by name.
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<std::string> write_ids_ ABSL_GUARDED_BY(mutex_);
  int writes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<int> calls_ ABSL_GUARDED_BY(mutex_);
  absl::Status many_ ABSL_GUARDED_BY(mutex_);
  int answers_max_ ABSL_GUARDED_BY(mutex_) = 1000;
  int holding_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_TESTING_FAKE_TWIN_SERVICE_H_
