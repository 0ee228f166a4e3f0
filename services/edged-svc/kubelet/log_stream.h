// One answer to /containerLogs: a container's log as a chunked body.
#ifndef SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_STREAM_H_
#define SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_STREAM_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "services/edged-svc/core/cri_log.h"
#include "services/edged-svc/core/log_options.h"
#include "services/edged-svc/kubelet/log_file.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

// Reads the file in steps on the pool, one chunk in hand; a reader that is slow holds nothing but
// that. At the end of the file it ends, or, following, looks again a little later until the
// container has ended. Keeps itself while a step, a write or a timer is under way.
class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  struct Deps {
    exec::ThreadPool& pool;
    exec::SerialExecutor& timers;
    std::function<bool()> ended;  // The container has; any thread.
  };

  LogStream(std::shared_ptr<pipe::ByteStream> client, std::unique_ptr<LogFile> file,
            const LogOptions& options, Deps deps);
  // Writes the answer's head and all that follows.
  void Start();

 private:
  void WatchClient();
  void Submit();
  void Later();
  void Step();
  // Sends `wire_` from its offset, then goes on.
  void WriteOut();
  void SendChunk(const std::string& body);
  void Finish();

  const std::shared_ptr<pipe::ByteStream> client_;
  const std::unique_ptr<LogFile> file_;
  const LogOptions options_;
  const Deps deps_;
  LogFormatter formatter_;
  std::atomic<bool> gone_ = false;  // The client is.
  std::string wire_;
  size_t offset_ = 0;
  bool last_ = false;  // `wire_` ends the answer.
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_KUBELET_LOG_STREAM_H_
