// One connection to an HTTP server, plain or TLS. Internal to the clients of this folder.
#ifndef SKERRY_SERVICES_LIB_HTTP_CLIENT_CONNECTION_H_
#define SKERRY_SERVICES_LIB_HTTP_CLIENT_CONNECTION_H_

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/http/answer_reader.h"
#include "services/lib/http/call_time.h"
#include "services/lib/http/caller.h"
#include "services/lib/http/client_tls.h"
#include "services/lib/http/transport.h"

namespace skerry::http {

struct Peer {
  std::string host;  // Name or address to dial.
  uint16_t port = 0;
  std::optional<TlsTrust> tls;  // Nullopt: plain.
  std::string server_name;      // Of its certificate; empty: `host`.
};

// Everything runs on the thread that calls; one at a time.
class ClientConnection {
 public:
  ClientConnection() : io_(1) {}
  ~ClientConnection();
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  // Blocks, and once. Errors as Caller::Perform has them, of what comes before the request.
  absl::Status Open(const Peer& peer, const CallTime& time);

  // Blocks. Sends `request` (head and body) and reads its answer, which may come before all is
  // sent. Errors as Caller::Perform has them.
  absl::StatusOr<CallAnswer> Ask(std::string request, bool head, AnswerReader::Limits limits,
                                 const CallTime& time);

  // Of the last Ask, which failed: the connection broke before a byte of an answer was there.
  bool broke_untouched() const { return broke_untouched_; }
  // After Ask: another one may follow, if StillOpen.
  bool reusable() const { return reusable_; }
  // The server has neither closed it nor sent anything since.
  bool StillOpen();

 private:
  class Exchange;
  // Runs what was begun until `over`, the time's end (DEADLINE_EXCEEDED / HTTP_TIMEOUT, saying
  // `what` took too long) or its stop (CANCELLED).
  absl::Status Run(const bool& over, const CallTime& time, const std::string& what);
  // Ends everything that was begun.
  void Close();

  boost::asio::io_context io_;
  std::optional<Transport> transport_;
  std::string name_;  // "host:port", for messages.
  bool reusable_ = false;
  bool broke_untouched_ = false;
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_CLIENT_CONNECTION_H_
