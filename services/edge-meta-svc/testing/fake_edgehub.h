// edgehub-svc as edge-meta-svc sees it, under a test's control.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_TESTING_FAKE_EDGEHUB_H_
#define SKERRY_SERVICES_EDGE_META_SVC_TESTING_FAKE_EDGEHUB_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/lib/rpc/server.h"
#include "services/lib/rpc/stream.h"

namespace skerry::edgemeta {

// A real gRPC server on `listen`. Answers Register by itself; everything else is up to the test.
// Waits have a deadline and return null or false when it passes.
class FakeEdgehub final : public edgehub::v1::SpokeService::CallbackService {
 public:
  explicit FakeEdgehub(const std::string& listen);
  ~FakeEdgehub() override;

  // The next frame from the spoke that `wanted` accepts, removed; others before it stay.
  std::unique_ptr<edgehub::v1::SpokeFrame> Take(
      const std::function<bool(const edgehub::v1::SpokeFrame&)>& wanted);
  std::unique_ptr<edgehub::v1::SpokeFrame> TakeSubscribe(const std::string& type);
  std::unique_ptr<edgehub::v1::SpokeFrame> TakeReport();
  // Waits for an ack of exactly this position.
  std::unique_ptr<edgehub::v1::SpokeFrame> TakeDone(const std::string& type,
                                                    uint64_t subscription_id, uint64_t sequence);

  bool Send(edgehub::v1::HubFrame frame);
  void SendSubscribeRequest(const std::string& type, uint64_t subscription_id);
  void SendUpsert(const std::string& type, uint64_t subscription_id, uint64_t sequence,
                  const std::string& key, const std::string& version, const std::string& object);
  void SendDelete(const std::string& type, uint64_t subscription_id, uint64_t sequence,
                  const std::string& key);
  void SendSynced(const std::string& type, uint64_t subscription_id, uint64_t sequence);
  void SendReportStored(uint64_t request_id, const absl::Status& status = absl::OkStatus());

  // Waits for a spoke to have registered, as many times as this in all.
  bool WaitForAttach(int times = 1);
  void CloseStream(absl::Status status);

  grpc::ServerBidiReactor<edgehub::v1::SpokeFrame, edgehub::v1::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override;

 private:
  void OnFrame(edgehub::v1::SpokeFrame frame);

  absl::Mutex mutex_;
  std::shared_ptr<rpc::Stream<edgehub::v1::HubFrame>> stream_ ABSL_GUARDED_BY(mutex_);
  std::deque<edgehub::v1::SpokeFrame> frames_ ABSL_GUARDED_BY(mutex_);
  int attached_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_TESTING_FAKE_EDGEHUB_H_
