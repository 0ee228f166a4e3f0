// Streams to pods (log, exec, attach, portforward): what the API server asks for them.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_POD_STREAMS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_POD_STREAMS_H_

#include <memory>
#include <string>

#include "services/lib/http/server.h"
#include "services/lib/kubeapi/pod_stream_target.h"

namespace skerry::kubeapi {

struct PodStreamRequest {
  http::Request request;
  std::string pod;   // Its name, for errors.
  bool log = false;  // Else a connection that is to be upgraded.
  KubeletAddress kubelet;
  std::string target;  // At the kubelet.
};

// Any thread may call it; it does not block.
class PodStreams {
 public:
  virtual ~PodStreams() = default;
  virtual void Serve(PodStreamRequest request, std::shared_ptr<http::Responder> responder) = 0;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_POD_STREAMS_H_
