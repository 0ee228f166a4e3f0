// A TCP client that sends what a test says, byte for byte.
#ifndef SKERRY_SERVICES_LIB_HTTP_TESTING_RAW_CLIENT_H_
#define SKERRY_SERVICES_LIB_HTTP_TESTING_RAW_CLIENT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace skerry::testing {

// Blocking, with a limit of 20 s for each call. Aborts where it cannot connect.
class RawClient {
 public:
  // "127.0.0.1:4711"
  explicit RawClient(const std::string& address, int receive_buffer_bytes = 0);
  ~RawClient();
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // False: the server has closed.
  bool Send(absl::string_view bytes);
  // No more will be sent.
  void CloseSending();
  // Everything up to the end of the connection (or the time limit).
  std::string ReadAll();
  // Up to and with `end`, or the end of the connection.
  std::string ReadUntil(absl::string_view end);

 private:
  int fd_;
};

}  // namespace skerry::testing

#endif  // SKERRY_SERVICES_LIB_HTTP_TESTING_RAW_CLIENT_H_
