// A cloudhub's SpokeService in this process, played by the test.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_TESTING_FAKE_HUB_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_TESTING_FAKE_HUB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "api/skerry/cloudhub/v1/spoke_service.pb.h"

namespace skerry::cloudspoke {

// Answers Register with Registered, keeps what else comes. Any thread may call it.
class FakeHub {
 public:
  // On 127.0.0.1, on `port` (0 picks one).
  explicit FakeHub(int port = 0);
  ~FakeHub();  // Ends streams and stops serving.

  std::string address() const;
  int port() const;

  bool AwaitAttached(absl::Duration limit = absl::Seconds(20));
  int attachments() const;
  cloudhub::v1::Register registration() const;
  // Ends the spoke's stream, as when the hub restarts.
  void Cut();

  // What the hub says.
  void Connect(const std::string& node, uint64_t epoch,
               const std::string& event_store_id = "events-1");
  void Disconnect(const std::string& node, uint64_t epoch);
  // `holdings`: key and version.
  void Subscribe(const std::string& node, uint64_t epoch, const std::string& type, uint64_t id,
                 const std::vector<std::pair<std::string, std::string>>& holdings = {},
                 bool more = false);
  // `value`: a serialized message, as the type states it.
  void Report(const std::string& node, uint64_t epoch, uint64_t sequence, const std::string& type,
              const std::string& key, const std::string& value);
  // `values`: serialized messages, as the stream states them; the first has that sequence.
  void Events(const std::string& node, uint64_t epoch, uint64_t sequence,
              const std::vector<std::string>& values, const std::string& stream = "events");
  void Send(cloudhub::v1::HubFrame frame);

  // What the spoke said, as lines: "edge-1 pods + ns/p", "edge-1 pods - ns/p", "edge-1 pods
  // synced", "edge-1 done 7 OK", "edge-1 events done 9", "edge-1 event 8 INVALID_ARGUMENT".
  std::vector<std::string> Said() const;
  bool AwaitSaid(const std::string& line, int times = 1,
                 absl::Duration limit = absl::Seconds(20)) const;
  // The object last pushed under that key; empty if none was.
  std::string Pushed(const std::string& node, const std::string& type,
                     const std::string& key) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_TESTING_FAKE_HUB_H_
