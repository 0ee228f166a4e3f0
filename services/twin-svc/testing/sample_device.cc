#include "services/twin-svc/testing/sample_device.h"

namespace skerry::twin {

nlohmann::json SampleModel() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "DeviceModel",
    "metadata": {"name": "boiler", "namespace": "plant", "uid": "u1"},
    "spec": {
      "protocol": "modbus",
      "protocolConfigData": {"baudRate": 9600, "parity": "even"},
      "properties": [
        {"name": "temperature", "description": "of the water", "type": "FLOAT",
         "accessMode": "ReadWrite", "minimum": "-20", "maximum": "120.5", "unit": "Celsius",
         "visitors": {"protocolName": "modbus", "configData": {"register": "HoldingRegister",
                                                               "offset": 2, "isSwap": true}}},
        {"name": "valve", "type": "BOOLEAN", "accessMode": "ReadOnly"}]}})");
}

nlohmann::json SampleDevice() {
  return nlohmann::json::parse(R"({
    "apiVersion": "devices.kubeedge.io/v1beta1", "kind": "Device",
    "metadata": {"name": "boiler-7", "namespace": "plant", "labels": {"description": "cellar"}},
    "spec": {
      "deviceModelRef": {"name": "boiler"},
      "nodeName": "edge-1",
      "protocol": {"protocolName": "modbus", "configData": {"baudRate": 19200, "slaveID": 16777217}},
      "properties": [
        {"name": "temperature",
         "desired": {"value": "60", "metadata": {"timestamp": "1700000000000", "type": "float"}},
         "visitors": {"protocolName": "modbus", "configData": {"offset": 4, "scale": 0.1}},
         "reportCycle": 10000, "collectCycle": 1000, "reportToCloud": true,
         "pushMethod": {"mqtt": {"address": "tcp://127.0.0.1:1883", "topic": "t", "qos": 1}}},
        {"name": "valve"}],
      "methods": [{"name": "heat", "description": "sets the target",
                   "propertyNames": ["temperature", "valve"]}],
      "stateReport": {"reportToCloud": true, "reportCycle": 60000}},
    "status": {"reportToCloud": false, "reportCycle": 1}})");
}

}  // namespace skerry::twin
