#include "services/lib/device/sample_manifests.h"

namespace skerry::device {

nlohmann::json ThermostatDevice() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device",
    "metadata": {"name": "room-3", "namespace": "plant", "uid": "7c1e", "generation": 4,
                 "resourceVersion": "9311", "creationTimestamp": "2026-01-05T08:00:00Z",
                 "labels": {"description": "by the window", "model": "RT-20"}},
    "spec": {
      "deviceModelRef": {"name": "thermostat"},
      "nodeName": "edge-1.plant",
      "protocol": {"protocolName": "modbus",
                   "configData": {"communicateMode": "TCP", "ip": "10.0.0.7", "slaveID": 1}},
      "properties": [
        {"name": "target", "collectCycle": 1000, "reportCycle": 10000, "reportToCloud": true,
         "desired": {"value": "21.5", "metadata": {"timestamp": "1750000000000", "type": "float"}},
         "visitors": {"protocolName": "modbus",
                      "configData": {"register": "HoldingRegister", "offset": 2, "scale": 0.1}}},
        {"name": "temperature", "collectCycle": 1000, "reportToCloud": true},
        {"name": "heating"}],
      "methods": [{"name": "SetTarget", "description": "sets the target",
                   "propertyNames": ["target"]},
                  {"name": "Off", "propertyNames": ["target", "heating"]}],
      "stateReport": {"reportToCloud": true, "reportCycle": 60000}}})");
}

nlohmann::json ThermostatModel() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "DeviceModel",
    "metadata": {"name": "thermostat", "namespace": "plant"},
    "spec": {
      "protocol": "modbus",
      "properties": [
        {"name": "target", "description": "what the room should be at", "type": "FLOAT",
         "accessMode": "ReadWrite", "minimum": "5", "maximum": "30.0", "unit": "Celsius"},
        {"name": "temperature", "type": "FLOAT", "accessMode": "ReadOnly", "unit": "Celsius"},
        {"name": "heating", "type": "BOOLEAN", "accessMode": "ReadOnly"}]}})");
}

nlohmann::json CounterDevice() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device",
    "metadata": {"name": "counter", "namespace": "default", "labels": null},
    "spec": {
      "deviceModelRef": {"name": "counter-model"},
      "nodeName": "worker",
      "protocol": {"protocolName": "virtualProtocol", "configData": null},
      "properties": [
        {"name": "count", "collectCycle": 10000000000, "reportCycle": 10000000000,
         "reportToCloud": true, "desired": {"value": "0"},
         "visitors": {"configData": {"name": "count"}}},
        {"name": "status", "visitors": {"configData": {"name": "status"}}, "pushMethod": null}],
      "methods": []},
    "status": {"twins": [{"propertyName": "count", "reported": {"value": "3"}}]}})");
}

nlohmann::json CounterModel() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "DeviceModel",
    "metadata": {"name": "counter-model", "namespace": "default"},
    "spec": {"protocol": "virtualProtocol",
             "properties": [{"name": "count", "type": "INT", "minimum": "0"},
                            {"name": "status", "type": "STRING"}]}})");
}

nlohmann::json CameraDevice() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device",
    "metadata": {"name": "gate-camera", "namespace": "default", "creationTimestamp": null},
    "spec": {
      "deviceModelRef": {"name": "onvif"}, "nodeName": "", "protocol": {},
      "properties": [
        {"name": "saveFrame", "desired": {"value": ""}, "visitors": {"protocolName": "onvif"}},
        {"name": "frame_count", "desired": {"value": "", "metadata": {"type": "int"}},
         "visitors": {}},
        {"name": "outputDir", "desired": {"value": "/var/lib/frames"}, "visitors": {}}]},
    "status": {}})");
}

nlohmann::json CameraModel() {
  return nlohmann::json::parse(R"({
    "kind": "DeviceModel", "apiVersion": "devices.kubeedge.io/v1beta1",
    "metadata": {"name": "onvif", "namespace": "default", "creationTimestamp": null},
    "spec": {"protocol": "onvif",
             "properties": [
               {"name": "saveFrame", "type": "STREAM", "accessMode": "ReadOnly"},
               {"name": "frame_count", "type": "INT", "accessMode": "ReadOnly"},
               {"name": "outputDir", "type": "STRING", "accessMode": "ReadWrite"}]}})");
}

}  // namespace skerry::device
