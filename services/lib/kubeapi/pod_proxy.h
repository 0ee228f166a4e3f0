// PodStreams that forwards to kubelets over HTTPS.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_POD_PROXY_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_POD_PROXY_H_

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "services/lib/kubeapi/pod_streams.h"
#include "services/lib/pipe/connector.h"

namespace skerry::kubeapi {

// As kube-apiserver: dials the kubelet with the API server's client certificate, sends the request,
// and passes bytes on untouched once the kubelet has agreed; its refusal of a log becomes a Status.
// What takes longer than `answer_timeout` from the request to the agreement or the whole refusal is
// a 504.
class PodProxy final : public PodStreams {
 public:
  explicit PodProxy(pipe::TlsClient tls, absl::Duration answer_timeout = absl::Minutes(1))
      : tls_(std::move(tls)), answer_timeout_(answer_timeout) {}

  void Serve(PodStreamRequest request, std::shared_ptr<http::Responder> responder) override;

 private:
  const pipe::TlsClient tls_;
  const absl::Duration answer_timeout_;
  pipe::Connector connector_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_POD_PROXY_H_
