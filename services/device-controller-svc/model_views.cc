#include "services/device-controller-svc/model_views.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/device/value_rules.h"
#include "services/lib/kubeapi/json.h"

namespace skerry::devicecontroller {

absl::StatusOr<absl::Duration> ParseRetention(absl::string_view text) {
  absl::Duration duration;
  absl::string_view days = text;
  int32_t count = 0;
  const bool parsed = absl::ConsumeSuffix(&days, "d") && absl::SimpleAtoi(days, &count)
                          ? (duration = count * absl::Hours(24), true)
                          : absl::ParseDuration(text, &duration);
  if (parsed && duration >= absl::ZeroDuration() && duration < absl::InfiniteDuration())
    return duration;
  return InvalidField(kRetentionAnnotation, text, "write a duration like 72h or 30d, or 0");
}

absl::Status ModelViews::Upsert(const KubeObject& model) {
  const nlohmann::json json = model.Json();
  Entry entry;
  absl::Status fault;
  const std::string text =
      kubeapi::StringAt(json, {"metadata", "annotations", kRetentionAnnotation});
  if (!text.empty()) {
    const absl::StatusOr<absl::Duration> retention = ParseRetention(text);
    fault = retention.status();
    if (retention.ok()) entry.retention = *retention;
  }
  absl::StatusOr<device::ModelSpec> spec = device::ParseModel(json);
  if (spec.ok()) {
    PropertyTypes types;
    for (const device::PropertyModel& property : spec->properties)
      types[property.name] = absl::AsciiStrToLower(device::NameOf(property.type));
    entry.view = std::make_shared<const View>(View{*std::move(spec), std::move(types)});
  } else {
    fault = spec.status();
  }
  absl::MutexLock lock(&mutex_);
  models_[model.key()] = std::move(entry);
  return fault;
}

void ModelViews::Delete(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  models_.erase(key);
}

std::shared_ptr<const ModelViews::View> ModelViews::Find(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  const auto it = models_.find(key);
  return it == models_.end() ? nullptr : it->second.view;
}

std::optional<absl::Duration> ModelViews::TelemetryRetention(const std::string& key) const {
  absl::MutexLock lock(&mutex_);
  const auto it = models_.find(key);
  return it == models_.end() ? std::nullopt : it->second.retention;
}

}  // namespace skerry::devicecontroller
