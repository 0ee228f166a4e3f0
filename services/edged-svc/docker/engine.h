// Docker Engine's HTTP API on its Unix socket.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

class EngineNetwork;

struct EngineRequest {
  std::string method = "GET";
  std::string target;  // "/containers/json?all=1".
  std::string body;    // JSON; empty: none.
  std::vector<std::pair<std::string, std::string>> headers;
  // Of the whole call. Of a body that is read in pieces, with `endless`: until it begins.
  absl::Duration timeout = absl::Minutes(2);
  bool endless = false;
};

// What a container reads and writes, after Docker has given the connection away.
class EngineStream : public pipe::ByteStream {
 public:
  // Says that nothing more will be written; reading goes on. After the write that is under way.
  virtual void CloseWrite() = 0;
};

// One connection a call, all on one thread of its own. Any thread may call it, but for the blocking
// call, which its own thread must not make. Errors: what Docker says, with NOT_FOUND for 404,
// ABORTED for 409, INVALID_ARGUMENT for 400, INTERNAL for 5xx, UNAVAILABLE where nobody listens or
// the answer broke off, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED where an answer or its headers have
// more bytes than we take. 304 (it is so already) is OK.
class DockerEngine {
 public:
  static constexpr size_t kAnswerBytesMax = 16u << 20;

  // The API version that is asked for: that of Docker 20.10, which later ones serve too.
  static constexpr char kApi[] = "/v1.41";

  DockerEngine(std::string socket_path, const char* thread_name);
  // Cuts what is open; every `done` has been called when it returns.
  ~DockerEngine();
  // Calls, reads and streams that are open end with CANCELLED, and later ones at once. Waits for
  // that. Not from the own thread.
  void EndCalls();
  DockerEngine(const DockerEngine&) = delete;
  DockerEngine& operator=(const DockerEngine&) = delete;

  using Done = absl::AnyInvocable<void(absl::StatusOr<std::string>)>;
  // The answer's body, at most kAnswerBytesMax.
  absl::StatusOr<std::string> Call(EngineRequest request);
  // `done` once, on the own thread, which it must not block.
  void Call(EngineRequest request, Done done);

  // A body that comes in pieces, for as long as `take` returns true. `done`: OK at the body's end,
  // CANCELLED where `take` ended it. Both on the own thread; while `take` works nothing more is
  // read. The error of a body in which Docker says what went wrong is the caller's to see.
  using Take = absl::AnyInvocable<bool(absl::string_view piece)>;
  void Read(EngineRequest request, Take take, absl::AnyInvocable<void(absl::Status)> done);

  // A connection that becomes a stream (exec, attach). `timeout` is until then. `done` as above.
  using Opened = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<EngineStream>>)>;
  void Open(EngineRequest request, Opened done);

  // A connection to a TCP port of the network namespace that process `pid` of container `id` is in,
  // on its loopback interface. `done` as above; UNAVAILABLE where nobody listens, or the process is
  // not this container's.
  using Connected = absl::AnyInvocable<void(absl::StatusOr<std::shared_ptr<pipe::ByteStream>>)>;
  void ConnectInside(absl::string_view id, uint32_t pid, uint16_t port, absl::Duration timeout,
                     Connected done);

  // Once, on the own thread: OK after `pause`, CANCELLED where the engine ends before.
  void After(absl::Duration pause, absl::AnyInvocable<void(absl::Status)> done);

 private:
  const std::shared_ptr<EngineNetwork> network_;
};

// "a b/c" is "a%20b/c": for a part of a target.
std::string EscapeForTarget(absl::string_view text);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_H_
