#include "services/mappers/lib/device_setup.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/device/value_rules.h"

namespace skerry::mapper {
namespace {

const v1beta1::ModelProperty* FindModel(const v1beta1::DeviceModel& model,
                                        const std::string& name) {
  for (const v1beta1::ModelProperty& property : model.spec().properties()) {
    if (property.name() == name) return &property;
  }
  return nullptr;
}

absl::StatusOr<device::PropertyModel> ModelOf(const v1beta1::ModelProperty& property) {
  device::PropertyModel model{
      .name = property.name(),
      .writable = absl::EqualsIgnoreCase(property.accessmode(), "ReadWrite"),
      .minimum = property.minimum(),
      .maximum = property.maximum(),
      .unit = property.unit()};
  SKERRY_ASSIGN_OR_RETURN(model.type, device::ParseValueType(property.type()));
  SKERRY_RETURN_IF_ERROR(device::CheckModel(model));
  return model;
}

absl::Duration Cycle(int64_t millis, absl::Duration otherwise, absl::string_view field,
                     std::vector<absl::Status>& warnings) {
  if (millis == 0) return otherwise;
  const absl::Duration given = absl::Milliseconds(millis);
  const absl::Duration used = std::clamp(given, kCycleMin, kCycleMax);
  if (used != given) {
    warnings.push_back(InvalidField(field, absl::StrCat(millis),
                                    absl::StrCat("give 10 to 86400000 ms; used is ",
                                                 absl::ToInt64Milliseconds(used)))
                           .ToStatus());
  }
  return used;
}

absl::StatusOr<PropertyPlan> PlanOf(const v1beta1::DeviceProperty& property,
                                    const DriverProperty& driver,
                                    std::vector<absl::Status>& warnings) {
  const auto field = [&](absl::string_view name) {
    return absl::StrCat("properties[", property.name(), "].", name);
  };
  PropertyPlan plan{.name = property.name(), .report = property.reporttocloud()};
  plan.collect_cycle =
      Cycle(property.collectcycle(), plan.collect_cycle, field("collectCycle"), warnings);
  plan.report_cycle =
      Cycle(property.reportcycle(), plan.report_cycle, field("reportCycle"), warnings);
  SKERRY_ASSIGN_OR_RETURN(plan.report_on_change, driver.visitor.Bool("reportOnChange", false));
  SKERRY_ASSIGN_OR_RETURN(plan.dead_band, driver.visitor.Number("deadBand", 0));
  if (plan.dead_band < 0) {
    return InvalidField(field("visitors.configData.deadBand"), absl::StrCat(plan.dead_band),
                        "give 0 or more");
  }
  const std::string& desired = property.desired().value();
  if (desired.empty()) return plan;  // Nothing is desired.
  if (absl::Status status = device::CheckDesired(driver.model, desired); status.ok()) {
    plan.desired = desired;
  } else {
    warnings.push_back(Annotate(status, field("desired.value")));
  }
  return plan;
}

}  // namespace

absl::StatusOr<DeviceSetup> MakeSetup(const v1beta1::Device& device,
                                      const v1beta1::DeviceModel& model) {
  SKERRY_ASSIGN_OR_RETURN(DeviceName name, DeviceName::Make(device.namespace_(), device.name()));
  if (device.spec().properties_size() > static_cast<int>(kPropertiesMax)) {
    return InvalidField("properties", absl::StrCat(device.spec().properties_size(), " properties"),
                        absl::StrCat("give at most ", kPropertiesMax));
  }
  DeviceSetup setup;
  SKERRY_ASSIGN_OR_RETURN(
      ConfigData protocol,
      ConfigData::Parse(device.spec().protocol().configdata(), "protocol.configData"));
  DriverDevice driver{std::move(name), std::move(protocol), {}, device};
  std::set<std::string> seen;
  for (const v1beta1::DeviceProperty& property : device.spec().properties()) {
    const std::string field = absl::StrCat("properties[", property.name(), "]");
    if (!seen.insert(property.name()).second) {
      return InvalidField(absl::StrCat(field, ".name"), property.name(), "name each property once");
    }
    const v1beta1::ModelProperty* known = FindModel(model, property.name());
    if (known == nullptr) {
      return InvalidField(absl::StrCat(field, ".name"), property.name(),
                          absl::StrCat("name a property of the device model ", model.name()));
    }
    DriverProperty each;
    SKERRY_ASSIGN_OR_RETURN(each.model, ModelOf(*known));
    SKERRY_ASSIGN_OR_RETURN(each.visitor,
                            ConfigData::Parse(property.visitors().configdata(),
                                              absl::StrCat(field, ".visitors.configData")));
    SKERRY_ASSIGN_OR_RETURN(PropertyPlan plan, PlanOf(property, each, setup.warnings));
    setup.plan.properties.push_back(std::move(plan));
    driver.properties.push_back(std::move(each));
  }
  setup.plan.report_state = device.status().reporttocloud();
  setup.plan.state_cycle = Cycle(device.status().reportcycle(), setup.plan.state_cycle,
                                 "stateReport.reportCycle", setup.warnings);
  setup.device = std::make_shared<const DriverDevice>(std::move(driver));
  return setup;
}

}  // namespace skerry::mapper
