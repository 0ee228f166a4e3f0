// The independent Modbus server of modbus_server.py, and a serial line to it.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_MODBUS_SERVER_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_MODBUS_SERVER_H_

#include <memory>
#include <string>

#include "services/lib/testing/temp_dir.h"
#include "services/mappers/modbus/testing/child_process.h"

namespace skerry::mapper::modbus {

// Keeps its port over Kill and Start; its values begin anew.
class ModbusServer {
 public:
  // Over TCP, on a free port of 127.0.0.1.
  ModbusServer() { Start(); }
  // On a serial port.
  explicit ModbusServer(std::string path) : path_(std::move(path)) { Start(); }

  void Start();
  void Kill() { process_.reset(); }
  ChildProcess& process() { return *process_; }
  int port() const { return port_; }
  // All that was written since it was made: a line for each write, "slave function address values".
  std::string Writes() const;

 private:
  skerry::testing::TempDir dir_;
  const std::string path_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

// Two serial ports with a cable between them. Their paths stay over Pull and Plug.
class SerialCable {
 public:
  SerialCable() : near_(dir_.File("near")), far_(dir_.File("far")) { Plug(); }

  void Plug();
  void Pull();  // Of an adapter, say: the ports are gone.
  const std::string& near() const { return near_; }
  const std::string& far() const { return far_; }

 private:
  skerry::testing::TempDir dir_;
  const std::string near_;
  const std::string far_;
  std::unique_ptr<ChildProcess> socat_;
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_MODBUS_SERVER_H_
