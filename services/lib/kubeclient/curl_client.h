// The Kubernetes API over HTTPS.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_CURL_CLIENT_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_CURL_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/kubeclient/client.h"
#include "services/lib/kubeclient/config_source.h"
#include "services/lib/kubeclient/transport.h"

namespace skerry::kubeclient {

// Any thread may call it.
class CurlClient final : public Client {
 public:
  // user_agent: "edge-controller-svc/<version>", seen in the server's audit log.
  CurlClient(std::unique_ptr<ConfigSource> config, absl::string_view user_agent);

  absl::StatusOr<KubeObject> Get(const Resource& resource, absl::string_view object_namespace,
                                 absl::string_view name, const CallOptions& options) override;
  absl::StatusOr<ObjectList> List(const Resource& resource, absl::string_view object_namespace,
                                  const ListOptions& options) override;
  absl::StatusOr<KubeObject> Create(const Resource& resource, absl::string_view object_namespace,
                                    absl::string_view body, const CallOptions& options) override;
  absl::StatusOr<KubeObject> Update(const Resource& resource, absl::string_view object_namespace,
                                    absl::string_view name, absl::string_view body,
                                    absl::string_view subresource,
                                    const CallOptions& options) override;
  absl::StatusOr<KubeObject> Patch(const Resource& resource, absl::string_view object_namespace,
                                   absl::string_view name, PatchType type, absl::string_view patch,
                                   const PatchOptions& options) override;
  absl::Status Delete(const Resource& resource, absl::string_view object_namespace,
                      absl::string_view name, const DeleteOptions& options) override;
  absl::Status Watch(const Resource& resource, absl::string_view object_namespace,
                     const WatchOptions& options,
                     const std::function<void(WatchEvent event)>& on_event) override;
  absl::StatusOr<std::string> GetRaw(absl::string_view path, const CallOptions& options) override;
  // POST of JSON to any path, for what is no object (a TokenReview has no name); the answer's body.
  absl::StatusOr<std::string> PostRaw(absl::string_view path, absl::string_view body,
                                      const CallOptions& options);

 private:
  // Performs and turns anything but 2xx into an error.
  absl::StatusOr<std::string> Body(const HttpRequest& request);
  absl::StatusOr<KubeObject> Object(const HttpRequest& request);

  Transport transport_;
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_CURL_CLIENT_H_
