// The real standalone-api-svc as a child process.
#ifndef SKERRY_SERVICES_LIB_KUBECLIENT_TESTING_API_PROCESS_H_
#define SKERRY_SERVICES_LIB_KUBECLIENT_TESTING_API_PROCESS_H_

#include <sys/types.h>

#include <memory>
#include <string>

#include "services/lib/kubeclient/client.h"

namespace skerry::kubeclient {

// Keeps its state and its port over Kill and Start. Aborts where it does not come up within 30 s.
class ApiProcess {
 public:
  // `folder` outlives it; `binary` is a path. `manifests`: a folder of what is applied at every
  // start; empty: nothing.
  ApiProcess(std::string binary, std::string folder, std::string manifests = "");
  ~ApiProcess();  // Kill().

  void Start();
  void Kill();  // SIGKILL.

  // Clients with the kubeconfig files that it wrote: "admin", "edge-controller".
  std::unique_ptr<Client> Open(const std::string& who) const;

 private:
  const std::string binary_;
  const std::string folder_;
  const std::string manifests_;
  std::string listen_ = "127.0.0.1:0";
  pid_t pid_ = 0;
};

}  // namespace skerry::kubeclient

#endif  // SKERRY_SERVICES_LIB_KUBECLIENT_TESTING_API_PROCESS_H_
