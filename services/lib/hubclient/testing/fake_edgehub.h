// edgehub-svc for tests of its spokes: a real gRPC server that stores in memory, or answers as it
// is told.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_TESTING_FAKE_EDGEHUB_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_TESTING_FAKE_EDGEHUB_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/skerry/edgehub/v1/edgehub_service.grpc.pb.h"
#include "services/lib/rpc/stream.h"

namespace skerry::rpc {
class Server;
}

namespace skerry::hubclient {

// Has one spoke. It answers Register; what is put it stores and answers, unless it was told to hold
// answers back. Any thread.
class FakeEdgehub final : public edgehub::v1::SpokeService::CallbackService {
 public:
  struct Report {
    int64_t generation = 0;
    std::string value;
    int puts = 0;
  };
  struct Event {
    std::string stream, producer, key, value;
    uint64_t producer_sequence = 0;
  };

  // `answers`: it stores and answers; else frames wait for Next().
  explicit FakeEdgehub(const std::string& listen, bool answers = true);
  ~FakeEdgehub() override;

  // The next frame that waits; of no kind after 20 s.
  edgehub::v1::SpokeFrame Next();
  void AnswerReport(const edgehub::v1::SpokeFrame& put, const absl::Status& status);
  void AnswerEvents(const edgehub::v1::SpokeFrame& put, uint32_t stored,
                    const absl::Status& status);
  // From now on what is put is refused with it, or stored where it is OK.
  void Refuse(absl::Status status);

  void SendLinkState(bool connected, const std::string& reason);
  void SendCommand(const std::string& key, const std::string& type, const std::string& payload,
                   absl::Duration deadline = absl::Seconds(30));
  // How it ended; of an empty key after 20 s.
  edgehub::v1::CommandDone AwaitCommand(const std::string& key);
  // Ends the spoke's stream.
  void Cut();

  edgehub::v1::Register registration();
  int registrations();
  // By type and key; the newest.
  std::map<std::pair<std::string, std::string>, Report> reports();
  // As the hub stores them: what repeats a producer's number is left out.
  std::vector<Event> events();
  size_t repeats();
  // False after 20 s. `condition` is called with no lock held, whenever something came.
  bool Await(absl::FunctionRef<bool()> condition);

  grpc::ServerBidiReactor<edgehub::v1::SpokeFrame, edgehub::v1::HubFrame>* Attach(
      grpc::CallbackServerContext* context) override;

 private:
  using HubStream = rpc::Stream<edgehub::v1::HubFrame>;

  void OnFrame(edgehub::v1::SpokeFrame frame);
  void StoreReport(const edgehub::v1::PutReport& put) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void StoreEvents(const edgehub::v1::PutEvents& put) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const bool answers_;
  absl::Mutex mutex_;
  std::shared_ptr<HubStream> stream_ ABSL_GUARDED_BY(mutex_);
  std::deque<edgehub::v1::SpokeFrame> frames_ ABSL_GUARDED_BY(mutex_);
  edgehub::v1::Register registration_ ABSL_GUARDED_BY(mutex_);
  int registrations_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, Report> reports_ ABSL_GUARDED_BY(mutex_);
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
  std::map<std::pair<std::string, std::string>, uint64_t> last_ ABSL_GUARDED_BY(mutex_);
  size_t repeats_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, edgehub::v1::CommandDone> commands_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_TESTING_FAKE_EDGEHUB_H_
