// Where the kubelet serves a pod's log, exec, attach or portforward, and how it spells the request.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_POD_STREAM_TARGET_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_POD_STREAM_TARGET_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::kubeapi {

// True for "log", "exec", "attach" and "portforward".
bool IsPodStream(absl::string_view subresource);

// The request target at the kubelet: "/containerLogs/ns/pod/container?follow=true". Errors are
// those of the Kubernetes API: a container must be named where the pod has several, and be one of
// its.
absl::StatusOr<std::string> KubeletTarget(
    absl::string_view subresource, const Json& pod,
    const std::vector<std::pair<std::string, std::string>>& query);

struct KubeletAddress {
  std::string host;
  uint16_t port = 0;
};
// As kube-apiserver's --kubelet-preferred-address-types has it by default: Hostname, InternalDNS,
// InternalIP, ExternalDNS, ExternalIP.
absl::StatusOr<KubeletAddress> KubeletAddressOf(const Json& node);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_POD_STREAM_TARGET_H_
