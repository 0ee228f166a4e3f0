// The ConfigMaps and Secrets that edge-meta-svc has told of, decoded.
#ifndef SKERRY_SERVICES_EDGED_SVC_RUNNER_OBJECT_CACHE_H_
#define SKERRY_SERVICES_EDGED_SVC_RUNNER_OBJECT_CACHE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/object_source.h"

namespace skerry::edged {

// Any thread may call it.
class ObjectCache final : public ObjectSource {
 public:
  // key: "namespace/name". INVALID_ARGUMENT for an object that can't be decoded: the one before
  // stays.
  absl::Status PutConfigMap(absl::string_view key, absl::string_view json);
  absl::Status PutSecret(absl::string_view key, absl::string_view json);
  void DeleteConfigMap(absl::string_view key);
  void DeleteSecret(absl::string_view key);

  std::shared_ptr<const KeyedData> ConfigMap(absl::string_view name_space,
                                             absl::string_view name) const override;
  std::shared_ptr<const KeyedData> Secret(absl::string_view name_space,
                                          absl::string_view name) const override;

 private:
  using Objects = std::map<std::string, std::shared_ptr<const KeyedData>>;

  mutable absl::Mutex mutex_;
  Objects config_maps_ ABSL_GUARDED_BY(mutex_);
  Objects secrets_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_RUNNER_OBJECT_CACHE_H_
