// Outbound connections as byte streams: TCP, or TLS over it.
#ifndef SKERRY_SERVICES_LIB_PIPE_CONNECTOR_H_
#define SKERRY_SERVICES_LIB_PIPE_CONNECTOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::pipe {
namespace internal {
struct Network;
}  // namespace internal

// Files are read for every connection, so that replaced ones are used.
struct TlsClient {
  std::string cert, key;    // PEM; both empty: no client certificate.
  std::string ca;           // PEM; empty: any certificate of the peer is taken.
  std::string server_name;  // Expected in it; empty: the host.
};

// One network thread for all of its connections. Any thread may call it.
class Connector {
 public:
  Connector();
  // Cuts the connections; every call of theirs has been answered when it returns.
  ~Connector();
  Connector(const Connector&) = delete;
  Connector& operator=(const Connector&) = delete;

  struct Target {
    std::string host;  // An IP address or a name.
    uint16_t port = 0;
    const TlsClient* tls = nullptr;  // Null: plain. Read before Connect returns.
  };
  using Done = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<ByteStream>>)>;
  // `done` on the network thread, within `timeout`. UNAVAILABLE says what could not be reached.
  void Connect(const Target& target, absl::Duration timeout, Done done);
  // Calls `function` on the network thread in `delay`, but not once what is returned is gone.
  // Called and dropped on the network thread alone; the connector's end waits for it.
  std::shared_ptr<void> After(absl::Duration delay, absl::AnyInvocable<void()> function);

 private:
  const std::shared_ptr<internal::Network> network_;
};

}  // namespace skerry::pipe

#endif  // SKERRY_SERVICES_LIB_PIPE_CONNECTOR_H_
