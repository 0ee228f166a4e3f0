// PodStreams that forwards to kubelets over HTTPS.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_POD_PROXY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_POD_PROXY_H_

#include <memory>
#include <string>

#include "services/lib/kubeapi/pod_streams.h"
#include "services/lib/pipe/connector.h"

namespace skerry::kubeapi {

// As kube-apiserver: dials the kubelet with the API server's client certificate, sends the request,
// and passes bytes on untouched once the kubelet has agreed; its refusal of a log becomes a Status.
class PodProxy final : public PodStreams {
 public:
  explicit PodProxy(pipe::TlsClient tls) : tls_(std::move(tls)) {}

  void Serve(PodStreamRequest request, std::shared_ptr<http::Responder> responder) override;

 private:
  const pipe::TlsClient tls_;
  pipe::Connector connector_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_POD_PROXY_H_
