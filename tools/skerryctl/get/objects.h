// Objects of Kubernetes as `skerryctl get` prints them. Pure.
#ifndef SKERRY_TOOLS_SKERRYCTL_GET_OBJECTS_H_
#define SKERRY_TOOLS_SKERRYCTL_GET_OBJECTS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "api/skerry/edged/v1/edged_service.pb.h"
#include "api/skerry/meta/v1/meta_service.pb.h"
#include "api/skerry/twin/v1/twin_service.pb.h"
#include "tools/skerryctl/output.h"

namespace skerry::skerryctl {

// The object as JSON, with apiVersion and kind, and without the values of a Secret; null where it
// is no JSON object.
nlohmann::json ObjectOf(const meta::v1::Object& object);

// The values of a Secret become null, and the annotation in which kubectl keeps a copy goes.
void HideSecret(nlohmann::json& secret);

// The box's own word replaces the copy that the cloud has sent.
void SetPodStatus(const edged::v1::RunningPod& pod, nlohmann::json& object);
// The node that the box is: Ready, and its runtime; the cloud sends it without a status.
void SetNodeStatus(const edged::v1::EdgedStatus& edged, nlohmann::json& object);
// As KubeEdge's DeviceStatus has it: state, lastOnlineTime, twins.
void SetDeviceStatus(const twin::v1::Twin& twin, nlohmann::json& object);

// What is printed of one kind.
struct Listing {
  std::string type;
  std::vector<nlohmann::json> objects;
  bool one = false;             // Asked for by name: JSON and YAML have it, and no list.
  bool all_namespaces = false;  // Tables begin with NAMESPACE, unless the kind is in none.
};
std::string RenderObjects(const Listing& listing, Format format, absl::Time now);

// A property a line.
std::string RenderTwins(const std::vector<twin::v1::Twin>& twins, bool one, Format format,
                        absl::Time now);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_GET_OBJECTS_H_
