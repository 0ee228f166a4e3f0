// An HTTPS/1.1 server over Boost.Beast: requests on a bounded pool of threads, streamed answers for
// watches.
#ifndef SKERRY_SERVICES_LIB_HTTP_SERVER_H_
#define SKERRY_SERVICES_LIB_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::metrics {
class Registry;
}

namespace skerry::http {

// Who is on the other end of the TLS connection, from its verified client certificate.
struct ClientCertificate {
  std::string common_name;
  std::vector<std::string> organizations;
  std::string pem;
};

struct Request {
  std::string method;  // "GET", upper case.
  std::string path;    // Percent-decoded, without the query: "/api/v1/pods".
  std::string target;  // As it was sent: "/api/v1/pods?limit=5".
  std::vector<std::pair<std::string, std::string>> query;  // Decoded, in order.
  std::map<std::string, std::string>
      headers;  // Names in lower case; repeated ones joined with ", ".
  std::string body;
  std::optional<ClientCertificate> client;
  std::string remote;  // "127.0.0.1:4711".

  // First value, or nullopt.
  std::optional<std::string> Query(absl::string_view name) const;
  // Empty if absent. `name` in lower case.
  std::string Header(absl::string_view name) const;
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // Content-Type among them.
  std::string body;
};

// A chunked answer, written from any thread. After the client is gone Write returns false.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // Queues one chunk. False: the client is gone, or more than the pending bound waits (the stream
  // is then cut).
  virtual bool Write(std::string chunk) = 0;
  // For a source that can wait for its reader: less than half of the pending bound is taken.
  virtual bool HasRoom() const = 0;
  // Calls back once, from any thread, when there is room; at once if there is. One callback at a
  // time; it is dropped when the stream closes. It must not block.
  virtual void WhenRoom(std::function<void()> callback) = 0;
  // Ends the answer after what is queued.
  virtual void End() = 0;
  virtual size_t pending_bytes() const = 0;
  // Called once, from any thread, when the client is gone or the stream ended. At once if it
  // already is.
  virtual void OnClosed(std::function<void()> callback) = 0;
};

// Answers one request exactly once: Send, Stream or TakeConnection. Any thread; may be kept after
// the handler returned. Destroyed without an answer: 500 is sent.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void Send(Response response) = 0;
  // Sends status and headers with Transfer-Encoding: chunked, and hands over the body.
  virtual std::shared_ptr<ResponseStream> Stream(
      int status, std::vector<std::pair<std::string, std::string>> headers) = 0;
  // Hands over the connection: what follows the request is raw bytes both ways, beginning with the
  // head of the answer, which is the handler's to write. There is no idle timeout; a write whose
  // bytes the client does not take for taken_write_timeout ends the connection, and fails with
  // DEADLINE_EXCEEDED. Null where an answer was given, or where there is no connection.
  virtual std::shared_ptr<pipe::ByteStream> TakeConnection() { return nullptr; }
};

// Runs on the server's pool; may block on a database.
using Handler = std::function<void(Request request, std::shared_ptr<Responder> responder)>;

enum class ClientCertificates { kNone, kOptional, kRequired };

struct ServerOptions {
  std::string listen = "127.0.0.1:0";
  std::string cert_file;  // PEM chain and key; both empty: plain HTTP, loopback only (else
                          // refused). Read again when changed.
  std::string key_file;
  std::string client_ca_file;  // Needed unless kNone.
  ClientCertificates client_certificates = ClientCertificates::kNone;
  // One whose time is over is verified all the same: the handler looks at its time.
  bool accept_expired_clients = false;
  size_t body_bytes_max = 3u << 20;            // Beyond: 413.
  size_t stream_pending_bytes_max = 8u << 20;  // Beyond: the stream is cut.
  // Beyond: the one that has waited longest for a whole request (idle, slow or silent) makes room
  // for the new one; where all have one, the new one is closed at once. Both counted.
  size_t connections_max = 4096;
  size_t workers = 4;
  size_t queue_max = 1024;  // Requests waiting for a worker; beyond: 503 with Retry-After.
  absl::Duration header_timeout = absl::Seconds(10);  // Also the TLS handshake.
  absl::Duration idle_timeout =
      absl::Seconds(90);  // Keep-alive between requests; also one whole request body.
  absl::Duration write_timeout = absl::Seconds(30);  // Without progress towards the client.
  // The same on a connection that was taken over. As long as the kubelet lets a connection be idle
  // (streamingConnectionIdleTimeout): who pauses `kubectl exec … | less` reads nothing meanwhile.
  // Beyond: cut, counted.
  absl::Duration taken_write_timeout = absl::Hours(4);
  size_t header_bytes_max = 64u << 10;  // Beyond: 431.
  // Of all requests that are handled, and what has come of those that are read; beyond: 503.
  size_t bodies_bytes_max = 256u << 20;
  // Of all answers above 64 KiB that wait for their clients to read them; beyond: the one longest
  // under way is cut, if that is longer than write_timeout. Else, in place of the new answer, 503
  // with Retry-After to a GET, 500 to others, as these were handled and must not be sent again
  // unasked. One alone may be larger.
  size_t answers_bytes_max = 256u << 20;
  // Told what goes wrong out of sight: certificate files that could not be read again (the old ones
  // stay in use), accept errors. From the network thread; must not block.
  std::function<void(const absl::Status&)> on_background_error;
  metrics::Registry* registry = nullptr;  // Outlives the server; null: only stats() counts.
};

// Since start, but for connections.
struct ServerStats {
  uint64_t connections = 0;          // Open now.
  uint64_t connections_refused = 0;  // Beyond connections_max.
  uint64_t connections_evicted = 0;  // For new ones.
  uint64_t handshakes_failed = 0;
  uint64_t requests = 0;          // Handed to the handler.
  uint64_t requests_refused = 0;  // Answered 4xx or 503 here: malformed, too big, too many.
  uint64_t answers_dropped = 0;   // Too many wait: 503 or 500 in their place, or cut.
  uint64_t streams_cut = 0;       // The client was too slow; connections taken over among them.
};

// Network I/O and TLS run on one thread, handlers on `workers` others. Any thread may call it, but
// none of its own may destroy it or shut it down. Handlers must return: the destructor waits for
// them.
class Server {
 public:
  static absl::StatusOr<std::unique_ptr<Server>> Create(const ServerOptions& options,
                                                        Handler handler);
  ~Server();  // Shutdown(now).
  // "127.0.0.1:6443" with the bound port.
  std::string address() const;
  // Stops accepting, ends streams, waits for running handlers until the deadline. Idempotent.
  void Shutdown(absl::Time deadline);
  ServerStats stats() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_SERVER_H_
