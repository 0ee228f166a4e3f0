// A TCP server that does what a test says, byte for byte.
#ifndef SKERRY_SERVICES_LIB_HTTP_TESTING_RAW_SERVER_H_
#define SKERRY_SERVICES_LIB_HTTP_TESTING_RAW_SERVER_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "absl/strings/string_view.h"

namespace skerry::testing {

// One accepted connection. Blocking, with a limit of 20 s for each call.
class RawConnection {
 public:
  explicit RawConnection(int fd) : fd_(fd) {}
  ~RawConnection();  // Closes it.
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // Up to and with `end`, or the end of the connection.
  std::string ReadUntil(absl::string_view end);
  // False: the client has closed.
  bool Send(absl::string_view bytes);
  // Until the client closes.
  void AwaitEnd();
  // Closes so that the client gets "connection reset".
  void Reset();
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Listens on a free port of the loopback. Connections are served by `script` one after the other,
// on a thread.
class RawServer {
 public:
  using Script = std::function<void(RawConnection& connection, int number)>;  // From 0.
  explicit RawServer(Script script, bool ipv6 = false);
  ~RawServer();  // Waits for the script that runs.
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  const std::string& address() const { return address_; }  // "127.0.0.1:4711", "[::1]:4711"
  int connections() const { return connections_; }         // That were accepted so far.

 private:
  void Run();

  const Script script_;
  int fd_;
  std::string address_;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_HTTP_TESTING_RAW_SERVER_H_
