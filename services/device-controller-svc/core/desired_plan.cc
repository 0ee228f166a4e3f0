#include "services/device-controller-svc/core/desired_plan.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "services/lib/kubeapi/json.h"

namespace skerry::devicecontroller {

using kubeapi::Json;

std::map<std::string, std::optional<std::string>> PlanDesired(const DesiredTexts& present,
                                                              const DesiredTexts& wanted) {
  std::map<std::string, std::optional<std::string>> changes;
  for (const auto& [property, value] : wanted) {
    const auto it = present.find(property);
    if (it == present.end() || it->second != value) changes[property] = value;
  }
  for (const auto& [property, value] : present) {
    if (!wanted.contains(property)) changes[property] = std::nullopt;
  }
  return changes;
}

DesiredWriters ReadWriters(const Json& device) {
  DesiredWriters writers;
  const auto text = kubeapi::ParseJson(
      kubeapi::StringAt(device, {"metadata", "annotations", kWritersAnnotation}));
  if (!text.ok() || !text->is_object()) return writers;
  for (const auto& [property, entry] : text->items()) {
    DesiredWriter writer{.writer = kubeapi::StringAt(entry, {"writer"}),
                         .value = kubeapi::StringAt(entry, {"value"})};
    if (!writer.writer.empty()) writers.emplace(property, std::move(writer));
  }
  return writers;
}

std::string WriterOf(const DesiredWriters& writers, const std::string& property,
                     const std::string& value) {
  const auto it = writers.find(property);
  return it == writers.end() || it->second.value != value ? "cloud" : it->second.writer;
}

std::string WriteWriters(const DesiredWriters& writers) {
  Json text = Json::object();
  for (const auto& [property, entry] : writers) {
    text[property]["writer"] = entry.writer;
    if (!entry.value.empty()) text[property]["value"] = entry.value;
  }
  return kubeapi::DumpJson(text);
}

}  // namespace skerry::devicecontroller
