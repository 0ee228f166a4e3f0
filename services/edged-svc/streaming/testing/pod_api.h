// As much of a Kubernetes API as kubectl asks for before it streams: one pod, and its streams
// passed on to a stream server.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_POD_API_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_POD_API_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "services/edged-svc/streaming/stream_server.h"
#include "services/lib/http/server.h"
#include "services/lib/pipe/connector.h"

namespace skerry::edged {

// The pod is "p" in namespace "default", with the container "main". Any thread may call it.
class PodApi {
 public:
  static absl::StatusOr<std::unique_ptr<PodApi>> Create(StreamServer& streams);
  ~PodApi();

  std::string address() const { return server_->address(); }

 private:
  explicit PodApi(StreamServer& streams) : streams_(streams) {}

  void Handle(const http::Request& request, std::shared_ptr<http::Responder> responder);
  void Forward(const http::Request& request, std::shared_ptr<http::Responder> responder);

  StreamServer& streams_;
  pipe::Connector connector_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_TESTING_POD_API_H_
