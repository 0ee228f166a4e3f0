// A port whose connections are handed to a server a few at a time.
#ifndef SKERRY_SERVICES_LIB_RPC_LISTENER_H_
#define SKERRY_SERVICES_LIB_RPC_LISTENER_H_

#include <netinet/in.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <sys/epoll.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/rpc/handshake_queue.h"

namespace skerry::rpc {

// gRPC (1.51) begins the handshake of every connection that comes, however many those are. This
// accepts in its place, drops who gave up while it waited, and gives gRPC the rest in the order of
// HandshakeQueue. What does not fit waits in the kernel. Any thread may call it; Stop before the
// server that it hands over to. `registry` outlives it.
class Listener {
 public:
  using HandOver = std::function<void(int fd)>;  // Which closes it.

  // Binds "host:port", host an address or a name; 0 picks a port. UNAVAILABLE / LISTEN_FAILED.
  static absl::StatusOr<std::unique_ptr<Listener>> Create(const std::string& listen,
                                                          const HandshakeQueue::Config& config,
                                                          metrics::Registry& registry);
  ~Listener();  // Stop().

  // "127.0.0.1:4433", with the port that was bound.
  const std::string& address() const { return address_; }
  // Begins to accept. Once.
  void Start(HandOver hand_over);
  // The handshake of this client (as gRPC names it: "ipv4:127.0.0.1:5") is done.
  void Arrived(absl::string_view peer);
  // This client was refused for dialling too often, or for being none that may. An address from
  // which that comes again and again is paced.
  void Refused(absl::string_view peer);
  // Closes what waits. Idempotent.
  void Stop();

 private:
  struct Connection {
    int fd = -1;  // From the hand-over on a second descriptor of it, to see its end.
    std::string peer;
    std::string address;
    bool begun = false;  // Its handshake.
  };

  Listener(int fd, std::string address, const HandshakeQueue::Config& config,
           metrics::Registry& registry);

  void Loop();
  // False when it is time to end.
  bool Turn(const epoll_event* events, int count);
  void Accept() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Those whose handshake begins now.
  std::vector<int> Begin() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(HandshakeQueue::Id id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Watch(int operation, int fd, uint32_t events, HandshakeQueue::Id id);
  void Wake();

  const std::string address_;
  const int listening_;
  const int epoll_;
  const int wake_;
  prometheus::Gauge& under_way_;
  prometheus::Gauge& waiting_;
  prometheus::Gauge& paced_;
  prometheus::Counter& refused_;
  prometheus::Counter& gone_;
  prometheus::Counter& stalled_;
  HandOver hand_over_;
  absl::Mutex mutex_;
  HandshakeQueue queue_ ABSL_GUARDED_BY(mutex_);
  HandshakeQueue::Id last_id_ ABSL_GUARDED_BY(mutex_);
  std::map<HandshakeQueue::Id, Connection> connections_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, HandshakeQueue::Id, std::less<>> by_peer_
      ABSL_GUARDED_BY(mutex_);  // Under way.
  bool accepting_ ABSL_GUARDED_BY(mutex_) = false;
  bool out_of_files_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_LISTENER_H_
