// Devices and device models for tests, as twin-svc sends them.
#ifndef SKERRY_SERVICES_MAPPERS_TESTING_DEVICES_H_
#define SKERRY_SERVICES_MAPPERS_TESTING_DEVICES_H_

#include <google/protobuf/wrappers.pb.h>

#include <cstdint>
#include <string>

#include "api/kubeedge/dmi/v1beta1/api.pb.h"

namespace skerry::mapper {

inline void SetText(v1beta1::CustomizedValue& data, const std::string& name,
                    const std::string& value) {
  google::protobuf::StringValue wrapper;
  wrapper.set_value(value);
  (*data.mutable_data())[name].PackFrom(wrapper);
}
inline void SetFlag(v1beta1::CustomizedValue& data, const std::string& name, bool value) {
  google::protobuf::BoolValue wrapper;
  wrapper.set_value(value);
  (*data.mutable_data())[name].PackFrom(wrapper);
}
inline void SetNumber(v1beta1::CustomizedValue& data, const std::string& name, float value) {
  google::protobuf::FloatValue wrapper;
  wrapper.set_value(value);
  (*data.mutable_data())[name].PackFrom(wrapper);
}

// Model plant/<name> without properties.
inline v1beta1::DeviceModel MakeModel(const std::string& name) {
  v1beta1::DeviceModel model;
  model.set_name(name);
  model.set_namespace_("plant");
  return model;
}

inline void AddProperty(v1beta1::DeviceModel& model, const std::string& name,
                        const std::string& type, bool writable) {
  v1beta1::ModelProperty& property = *model.mutable_spec()->add_properties();
  property.set_name(name);
  property.set_type(type);
  property.set_accessmode(writable ? "ReadWrite" : "ReadOnly");
}

// Device plant/<name> that reports its state every minute, and has no properties.
inline v1beta1::Device MakeDevice(const std::string& name, const std::string& model,
                                  const std::string& protocol) {
  v1beta1::Device device;
  device.set_name(name);
  device.set_namespace_("plant");
  device.mutable_spec()->set_devicemodelreference(model);
  device.mutable_spec()->mutable_protocol()->set_protocolname(protocol);
  device.mutable_spec()->mutable_protocol()->mutable_configdata();
  device.mutable_status()->set_reporttocloud(true);
  device.mutable_status()->set_reportcycle(60000);
  return device;
}

// Reported; the pointer is good until the next one is added.
inline v1beta1::DeviceProperty* AddProperty(v1beta1::Device& device, const std::string& name,
                                            int64_t collect_ms, int64_t report_ms,
                                            const std::string& desired = "") {
  v1beta1::DeviceProperty* property = device.mutable_spec()->add_properties();
  property->set_name(name);
  property->set_collectcycle(collect_ms);
  property->set_reportcycle(report_ms);
  property->set_reporttocloud(true);
  property->mutable_desired()->set_value(desired);
  property->mutable_visitors()->mutable_configdata();
  return property;
}

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_TESTING_DEVICES_H_
