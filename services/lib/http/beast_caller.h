// Caller over Boost.Beast and OpenSSL.
#ifndef SKERRY_SERVICES_LIB_HTTP_BEAST_CALLER_H_
#define SKERRY_SERVICES_LIB_HTTP_BEAST_CALLER_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/http_url.h"
#include "services/lib/http/caller.h"

namespace skerry::http {

class ClientConnection;

// Has no thread of its own: a call runs on its caller's. Takes HTTP/1.0 and 1.1.
class BeastCaller final : public Caller {
 public:
  struct Options {
    std::string user_agent = "skerry";
    std::string ca_file;                   // PEM roots to trust instead of the system's.
    size_t body_bytes_max = 1u << 20;      // Of an answer.
    size_t headers_bytes_max = 64u << 10;  // Of an answer.
    // Connections that are kept for the next call, for a minute; beyond that the oldest goes. On
    // one that the server has just closed a request is sent once more, in rare cases; with 0,
    // never.
    size_t idle_connections_max = 0;
  };

  explicit BeastCaller(Options options);
  ~BeastCaller() override;  // No call may be in progress.
  BeastCaller(const BeastCaller&) = delete;
  BeastCaller& operator=(const BeastCaller&) = delete;

  absl::StatusOr<CallAnswer> Perform(const Call& call) override;

 private:
  struct Idle {
    std::string peer;  // "https://host:port"
    std::chrono::steady_clock::time_point since;
    std::unique_ptr<ClientConnection> connection;
  };
  // Null: there is none that is still open.
  std::unique_ptr<ClientConnection> TakeIdle(const std::string& peer);
  void Keep(const std::string& peer, std::unique_ptr<ClientConnection> connection);

  const Options options_;
  absl::Mutex mutex_;
  std::deque<Idle> idle_ ABSL_GUARDED_BY(mutex_);  // The oldest first.
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_BEAST_CALLER_H_
