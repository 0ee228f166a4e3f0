// The ops port: /metrics, /livez, /readyz over plain HTTP, on its own thread, apart from the API
// port.
#ifndef SKERRY_SERVICES_LIB_METRICS_OPS_SERVER_H_
#define SKERRY_SERVICES_LIB_METRICS_OPS_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/metrics/registry.h"

namespace skerry::metrics {

// Answers until destroyed. `registry` outlives it.
class OpsServer {
 public:
  // readiness: nullopt-like empty string when ready, else what is being waited for. Any thread.
  static absl::StatusOr<std::unique_ptr<OpsServer>> Create(
      absl::string_view listen, Registry& registry, std::function<std::string()> waiting_for);
  ~OpsServer();
  // "127.0.0.1:41234".
  std::string address() const;

 private:
  struct Impl;
  explicit OpsServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace skerry::metrics

#endif  // SKERRY_SERVICES_LIB_METRICS_OPS_SERVER_H_
