// A binary of ours that a test starts and kills.
#ifndef SKERRY_E2E_DEVICES_CHILD_PROCESS_H_
#define SKERRY_E2E_DEVICES_CHILD_PROCESS_H_

#include <sys/types.h>

#include <string>
#include <vector>

namespace skerry::e2e {

// One thread. It is killed with this.
class ChildProcess {
 public:
  // `arguments` begin with the binary. Standard error is added to `log`.
  ChildProcess(std::vector<std::string> arguments, std::string log);
  ~ChildProcess() { Kill(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void Start();
  void Kill();      // SIGKILL, and waits.
  int Terminate();  // SIGTERM; its exit code.

 private:
  int Wait();

  std::vector<std::string> arguments_;
  const std::string log_;
  pid_t pid_ = 0;
};

}  // namespace skerry::e2e

#endif  // SKERRY_E2E_DEVICES_CHILD_PROCESS_H_
