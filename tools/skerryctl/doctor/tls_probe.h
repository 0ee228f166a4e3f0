// What answers at an address over TLS, whoever it is.
#ifndef SKERRY_TOOLS_SKERRYCTL_DOCTOR_TLS_PROBE_H_
#define SKERRY_TOOLS_SKERRYCTL_DOCTOR_TLS_PROBE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace skerry::skerryctl {

struct TlsTarget {
  std::string address;        // "host:port", "[::1]:port".
  std::string name;           // To look for in the certificate.
  std::string identity_file;  // Our certificate and key, shown where they can be read.
  std::string alpn;           // "h2"; empty: none is asked for.
  std::string path;           // Asked for by HTTP/1.1 after the handshake; empty: nothing is.
  absl::Duration within = absl::Seconds(5);
};

struct TlsPeer {
  // OK: the handshake was done. Else UNAVAILABLE with reason RESOLVE_FAILED, CONNECT_FAILED,
  // TIMED_OUT or TLS_FAILED; INVALID_ARGUMENT for an address that is none.
  absl::Status reached;
  std::string certificates_pem;  // The peer's own first. Not verified.
  bool name_fits = false;
  std::string answer;  // At most 16 KiB, heading and all; not trusted.
};

// Blocks for `within`, and for what the resolver of this machine takes beyond. Any thread.
TlsPeer ProbeTls(const TlsTarget& target);

}  // namespace skerry::skerryctl

#endif  // SKERRY_TOOLS_SKERRYCTL_DOCTOR_TLS_PROBE_H_
