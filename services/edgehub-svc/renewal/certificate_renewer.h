// Keeps this node's certificate from running out.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_CERTIFICATE_RENEWER_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_CERTIFICATE_RENEWER_H_

#include <cstdint>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edgehub-svc/metrics.h"
#include "services/edgehub-svc/renewal/node_identity.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"

namespace skerry::edgehub {

// The hub, as the renewer needs it.
class RenewalClient {
 public:
  virtual ~RenewalClient() = default;
  // The certificate for `csr_pem`, asked for with proof of `present`. Blocks until Cancel at most.
  // PERMISSION_DENIED: the hub says no (ErrorInfo: its reason, and its "fix").
  virtual absl::StatusOr<std::string> Renew(const NodeIdentity& present,
                                            absl::string_view csr_pem) = 0;
  // Ends a Renew that blocks, and all that come, with CANCELLED. Any thread.
  virtual void Cancel() = 0;
};

// Asks for a certificate with a new key when two thirds of the present one's life are over, and
// puts both into the identity file by one rename. Until the hub has seen the new key in use it
// takes the old one too, so that a process which dies at any point in between goes on with the file
// as it is. Whoever dials next uses the new one; links that are open stay. The file is read anew at
// every look: it may be replaced by others (skerryctl join).
//
// All on a thread of its own. Used by one thread; what it is given outlives it.
class CertificateRenewer {
 public:
  struct Config {
    std::string identity_file;
    std::string ca_file;  // What the new certificate must chain to.
    uint64_t seed = 0;    // Of the jitter.
  };

  CertificateRenewer(Config config, RenewalClient& hub, Clock& clock, EdgeHubMetrics& metrics,
                     const log::Logger& log);
  ~CertificateRenewer() { Stop(); }

  void Start();
  // Ends a request that is under way. Idempotent.
  void Stop();
  // Returns when everything that is due has been done.
  void Settle() {
    executor_.Run([] {});
  }

 private:
  void Run();
  // How long to wait until the next look.
  absl::Duration Look();
  absl::Duration Failed(const NodeIdentity& identity, const absl::Status& status);
  absl::Status Renew(const NodeIdentity& present);
  double Fraction() { return std::uniform_real_distribution<double>()(random_); }

  const Config config_;
  RenewalClient& hub_;
  Clock& clock_;
  EdgeHubMetrics& metrics_;
  const log::Logger log_;
  std::mt19937_64 random_;
  std::string planned_serial_;  // Of the certificate that due_ is for.
  absl::Time due_;
  int failures_ = 0;               // In a row.
  exec::SerialExecutor executor_;  // Last: its thread uses the rest.
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_RENEWAL_CERTIFICATE_RENEWER_H_
