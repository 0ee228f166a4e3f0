// DeviceModels, as far as the controller goes by them.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_MODEL_VIEWS_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_MODEL_VIEWS_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/device-controller-svc/wire/twin_values.h"
#include "services/lib/device/device_spec.h"
#include "services/lib/model/kube_object.h"

namespace skerry::devicecontroller {

// How long readings of a model's devices are kept: "72h", "30d"; "0": for ever.
inline constexpr char kRetentionAnnotation[] = "devices.skerry.io/telemetry-retention";

// Any thread may call it. Keys are "namespace/name".
class ModelViews {
 public:
  struct View {
    device::ModelSpec spec;
    PropertyTypes types;
  };

  // What is wrong with it, for whoever wrote it; a model that is not valid is as unknown.
  absl::Status Upsert(const KubeObject& model);
  void Delete(const std::string& key);

  // Null where it is not known, or not valid.
  std::shared_ptr<const View> Find(const std::string& key) const;
  // None where the model says nothing.
  std::optional<absl::Duration> TelemetryRetention(const std::string& key) const;

 private:
  struct Entry {
    std::shared_ptr<const View> view;
    std::optional<absl::Duration> retention;
  };
  mutable absl::Mutex mutex_;
  std::map<std::string, Entry> models_ ABSL_GUARDED_BY(mutex_);
};

// INVALID_ARGUMENT for what is no such duration.
absl::StatusOr<absl::Duration> ParseRetention(absl::string_view text);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_MODEL_VIEWS_H_
