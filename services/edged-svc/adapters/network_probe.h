// TCP connects and HTTP GETs with a time limit, for probes and hooks.
#ifndef SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NETWORK_PROBE_H_
#define SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NETWORK_PROBE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/http_target.h"

namespace skerry::edged {

class ProbeAttempt;
struct ProbeEngine;

struct HttpGet {
  HttpTarget target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string user_agent;   // Where `headers` name none.
  bool any_status = false;  // Every answer is a success, as for hooks.
};

// All at the same time on one thread, so that one that hangs delays no other. Any thread may call
// it. `done` is called once, on the own thread, which it must not block: OK, FAILED_PRECONDITION
// with the kubelet's words, or UNAVAILABLE where the answer says nothing (it broke off in its body)
// or more than `in_flight_max` are at work.
class NetworkProbes {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;

  explicit NetworkProbes(size_t in_flight_max = 1024);
  // What is in flight ends as CANCELLED.
  ~NetworkProbes();

  void Tcp(const std::string& host, int32_t port, absl::Duration timeout, Done done);
  // HTTP/1.1, or the same over TLS whatever the certificate. 200 to 399 is a success. A redirect to
  // the same host is followed, ten times; one to another host is a success.
  void Http(HttpGet get, absl::Duration timeout, Done done);

 private:
  void Begin(std::shared_ptr<ProbeAttempt> attempt);

  const std::unique_ptr<ProbeEngine> engine_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_ADAPTERS_NETWORK_PROBE_H_
