// TLS with the MQTT broker, as Paho takes it.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_BROKER_TLS_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_BROKER_TLS_H_

#include <MQTTAsync.h>

#include <string>

#include "absl/status/statusor.h"
#include "services/lib/security/system_roots.h"

namespace skerry::eventbus {

// PEM files. Empty: none.
struct BrokerTls {
  std::string ca_file;
  std::string ca_folder;  // With links by hashes of names.
  std::string certificate_file;
  std::string key_file;
};

// Without a CA, with this machine's. FAILED_PRECONDITION / CA_CERTIFICATES_MISSING: it has none.
absl::StatusOr<BrokerTls> WithRoots(BrokerTls tls, const security::SystemRootPlaces& places = {});

// TLS 1.2 and later; the broker's certificate and name are verified. Points into `tls`.
MQTTAsync_SSLOptions PahoTlsOptions(const BrokerTls& tls);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_ADAPTERS_BROKER_TLS_H_
