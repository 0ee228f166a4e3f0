// What a pod has on this box's disk: volumes, /etc/hosts, termination messages, logs.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_POD_FOLDERS_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_POD_FOLDERS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edged-svc/core/fields.h"
#include "services/edged-svc/core/object_source.h"
#include "services/edged-svc/core/pod_spec.h"
#include "services/edged-svc/core/resources.h"

namespace skerry::edged {

// Layout, as the kubelet's:
//   <root>/pods/<uid>/volumes/kubernetes.io~<kind>/<volume>     Secrets and tokens on tmpfs: never
//   on the disk <root>/pods/<uid>/volume-subpaths/<volume>/<container>/<n>  bind mounts of checked
//   subPaths <root>/pods/<uid>/containers/<container>/<restart>          termination message
//   <root>/pods/<uid>/etc-hosts
//   <logs>/<namespace>_<name>_<uid>/<container>/<restart>.log
// Calls for one pod do not overlap; calls for different pods may.
class PodFolders {
 public:
  PodFolders(std::string root, std::string logs) : root_(std::move(root)), logs_(std::move(logs)) {}

  // Makes or updates every volume; host path by volume name. Errors carry the kubelet's words:
  // FAILED_PRECONDITION where something is missing that may still come.
  absl::StatusOr<std::map<std::string, std::string>> Prepare(const PodSpec& pod,
                                                             const PodPlace& place,
                                                             const ObjectSource& objects,
                                                             const NodeResources& node) const;

  // The host path of `sub_path` of a volume, as a bind mount that a later change of symbolic links
  // can't lead elsewhere. Missing folders are created. FAILED_PRECONDITION where it leads out of
  // the volume.
  absl::StatusOr<std::string> BindSubPath(const PodSpec& pod, const std::string& volume,
                                          const std::string& volume_path,
                                          const std::string& sub_path, const std::string& container,
                                          size_t index) const;

  absl::StatusOr<std::string> WriteEtcHosts(const PodSpec& pod, const std::string& hostname,
                                            const std::vector<std::string>& addresses) const;
  absl::StatusOr<std::string> MakeTerminationLog(const PodSpec& pod, const std::string& container,
                                                 int32_t restart) const;
  // At most 4 KiB of what the container wrote there; with `or_log`, where that is empty, the end of
  // its log (2 KiB, 80 lines).
  std::string TerminationMessage(const PodSpec& pod, const std::string& container, int32_t restart,
                                 bool or_log) const;

  std::string LogFolder(const PodSpec& pod) const;
  absl::Status MakeLogFolder(const PodSpec& pod, const std::string& container) const;
  // Of one start of a container, with what was rotated from it.
  void RemoveLog(const PodSpec& pod, const std::string& container, int32_t restart) const;

  // Unmounts and deletes all of a pod. FAILED_PRECONDITION while something is still mounted: then
  // nothing is deleted.
  absl::Status Remove(const PodSpec& pod) const;
  // Uids that have a folder.
  std::vector<std::string> List() const;

 private:
  std::string PodFolder(const PodSpec& pod) const { return root_ + "/pods/" + pod.uid; }
  absl::StatusOr<std::string> PrepareOne(const PodSpec& pod, const VolumeSpec& volume,
                                         const PodPlace& place, const ObjectSource& objects,
                                         const NodeResources& node) const;

  const std::string root_, logs_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_POD_FOLDERS_H_
