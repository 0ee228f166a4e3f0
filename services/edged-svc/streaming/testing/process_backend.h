// A stream backend whose containers are processes of this box, and whose pods listen on 127.0.0.1.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_PROCESS_BACKEND_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_PROCESS_BACKEND_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/pipe/connector.h"

namespace skerry::edged {

// exec runs the command, on a terminal where one is asked for; attach runs a shell that answers
// each line. Processes get SIGKILL at Close. Any thread may call it.
class ProcessBackend final : public StreamBackend {
 public:
  ProcessBackend();
  ~ProcessBackend() override;

  absl::StatusOr<std::shared_ptr<ContainerIo>> Open(const StreamRequest& request) override;
  void ConnectPort(absl::string_view sandbox_id, uint16_t port, ConnectDone done) override;

 private:
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::thread thread_;
  exec::ThreadPool waits_{"waits", 4, 100};
  pipe::Connector connector_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_PROCESS_BACKEND_H_
