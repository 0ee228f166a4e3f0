#include "services/mappers/modbus/testing/modbus_server.h"

#include <unistd.h>

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/check.h"

namespace skerry::mapper::modbus {

void ModbusServer::Start() {
  std::vector<std::string> command = {"/usr/bin/python3",
                                      "services/mappers/modbus/testing/modbus_server.py",
                                      "--writes", dir_.File("writes")};
  if (path_.empty()) {
    command.insert(command.end(), {"--tcp", absl::StrCat(port_)});
  } else {
    command.insert(command.end(), {"--serial", path_});
  }
  process_ = std::make_unique<ChildProcess>(command, 1, "ready ");
  SKERRY_CHECK(absl::SimpleAtoi(absl::StripPrefix(process_->ready_line(), "ready "), &port_));
}

std::string ModbusServer::Writes() const {
  return skerry::testing::ReadFileText(dir_.File("writes"));
}

void SerialCable::Plug() {
  socat_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{"socat", "-d", "-d", absl::StrCat("pty,raw,echo=0,link=", near_),
                               absl::StrCat("pty,raw,echo=0,link=", far_)},
      2, "starting data transfer loop");
}

void SerialCable::Pull() {
  socat_.reset();
  unlink(near_.c_str());
  unlink(far_.c_str());
}

}  // namespace skerry::mapper::modbus
