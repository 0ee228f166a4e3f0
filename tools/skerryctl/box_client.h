// The services of this box, by their Unix sockets.
#ifndef SKERRY_TOOLS_SKERRYCTL_BOX_CLIENT_H_
#define SKERRY_TOOLS_SKERRYCTL_BOX_CLIENT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "api/skerry/edged/v1/edged_service.pb.h"
#include "api/skerry/edgehub/v1/edgehub_service.pb.h"
#include "api/skerry/meta/v1/meta_service.pb.h"
#include "api/skerry/twin/v1/twin_service.pb.h"

namespace skerry::skerryctl {

// Blocking calls with a deadline of 3 s each; one whose service is away fails at once. Lists have
// all pages: the services' stores bound them. Used by one thread.
class BoxClient {
 public:
  explicit BoxClient(const std::string& run_dir);
  ~BoxClient();

  absl::StatusOr<edgehub::v1::EdgeHubStatus> GetHubStatus();
  absl::StatusOr<meta::v1::MetaStatus> GetMetaStatus();
  // NOT_FOUND where the box has no such object.
  absl::StatusOr<meta::v1::Object> GetObject(const std::string& type, const std::string& key);
  // An empty namespace: all.
  absl::StatusOr<std::vector<meta::v1::Object>> ListObjects(const std::string& type,
                                                            const std::string& name_space);
  absl::StatusOr<edged::v1::EdgedStatus> GetEdgedStatus();
  absl::StatusOr<std::vector<edged::v1::RunningPod>> ListPods();
  absl::StatusOr<std::vector<twin::v1::Twin>> ListTwins(const std::string& name_space);

 private:
  struct Stubs;
  std::unique_ptr<Stubs> stubs_;
};

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_BOX_CLIENT_H_
