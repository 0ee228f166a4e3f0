#include "services/eventbus-svc/adapters/broker_tls.h"

#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

const char* OrNull(const std::string& path) { return path.empty() ? nullptr : path.c_str(); }

}  // namespace

absl::StatusOr<BrokerTls> WithRoots(BrokerTls tls, const security::SystemRootPlaces& places) {
  if (!tls.ca_file.empty()) return tls;
  const absl::StatusOr<security::SystemRoots> roots = security::FindSystemRoots(places);
  if (!roots.ok()) return Annotate(roots.status(), "mqtt.ca_file is not set");
  tls.ca_file = roots->file;
  tls.ca_folder = roots->folder;
  return tls;
}

MQTTAsync_SSLOptions PahoTlsOptions(const BrokerTls& tls) {
  MQTTAsync_SSLOptions options = MQTTAsync_SSLOptions_initializer;
  options.trustStore = OrNull(tls.ca_file);
  options.CApath = OrNull(tls.ca_folder);
  options.disableDefaultTrustStore = 1;
  options.keyStore = OrNull(tls.certificate_file);
  options.privateKey = OrNull(tls.key_file);
  options.enableServerCertAuth = 1;
  options.verify = 1;
  options.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
  return options;
}

}  // namespace skerry::eventbus
