// Shows when certificates end that somebody else puts in place and renews.
#ifndef SKERRY_SERVICES_LIB_SECURITY_CERTIFICATE_EXPIRY_H_
#define SKERRY_SERVICES_LIB_SECURITY_CERTIFICATE_EXPIRY_H_

#include <map>
#include <string>
#include <vector>

#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/file_stamp.h"

namespace skerry::security {

// skerry_certificate_expire_timestamp_seconds{certificate}, as RenewalLoop has it for what a
// service issues itself. Looks once a minute, on a thread of its own, whether a file was replaced.
// While one can't be read the former value stands, for the certificate that was read last is still
// in use, and the log says so once; one that never could be read has none.
//
// Used by one thread. What it is given outlives it.
class CertificateExpiry {
 public:
  // files: PEM files by the label's value. Reads them at once.
  CertificateExpiry(const std::map<std::string, std::string>& files, Clock& clock,
                    metrics::Registry& registry, const log::Logger& log);
  ~CertificateExpiry() { executor_.Stop(); }

  // Returns when what is due has been done.
  void Settle() {
    executor_.Run([] {});
  }

 private:
  struct Shown {
    std::string name;
    std::string path;
    FileStamp stamp;  // Of what was read last, or could not be.
  };

  void Look();
  void Read(const Shown& shown);

  Clock& clock_;
  metrics::Registry& registry_;
  const log::Logger log_;
  std::vector<Shown> files_;       // Of the executor.
  exec::SerialExecutor executor_;  // Last: its thread uses the rest.
};

}  // namespace skerry::security

#endif  // SKERRY_SERVICES_LIB_SECURITY_CERTIFICATE_EXPIRY_H_
