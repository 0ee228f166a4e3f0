// A program that a test runs beside it.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_CHILD_PROCESS_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace skerry::mapper::modbus {

// Started when it is made, killed when it is destroyed.
class ChildProcess {
 public:
  // Waits for a line of the program's standard output (1) or error (2) that has `ready` in it.
  // Aborts where there is none within 30 s.
  ChildProcess(const std::vector<std::string>& command, int output, absl::string_view ready);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  const std::string& ready_line() const { return line_; }
  // It does nothing, and its connections stay, until Continue.
  void Pause();
  void Continue();

 private:
  pid_t pid_ = 0;
  int pipe_ = -1;  // What it writes later finds a reader.
  std::string line_;
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_CHILD_PROCESS_H_
