// Which desired values of a Device's spec the cloud's twin does not have yet.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DESIRED_PLAN_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DESIRED_PLAN_H_

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace skerry::devicecontroller {

// By property.
using DesiredTexts = std::map<std::string, std::string>;

// Those of `wanted` that `present` has not, and none for those that it has and that are wanted no
// more: what is there already makes no history.
std::map<std::string, std::optional<std::string>> PlanDesired(const DesiredTexts& present,
                                                              const DesiredTexts& wanted);

// Who wrote desired values through this service's API is kept with the Device, in an annotation: it
// has to be where the values are. An entry counts while the value is the one that it was for.
inline constexpr char kWritersAnnotation[] = "devices.skerry.io/desired-writers";
struct DesiredWriter {
  std::string writer;
  std::string value;  // None desired: empty.
};
using DesiredWriters = std::map<std::string, DesiredWriter>;
// Of what is no such annotation, nothing.
DesiredWriters ReadWriters(const nlohmann::json& device);
// `value` empty: nothing is desired. "cloud" where nobody is known.
std::string WriterOf(const DesiredWriters& writers, const std::string& property,
                     const std::string& value);
// The annotation's text.
std::string WriteWriters(const DesiredWriters& writers);

}  // namespace skerry::devicecontroller

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_CORE_DESIRED_PLAN_H_
