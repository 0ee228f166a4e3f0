// RenewalClient over HTTPS with the node's present certificate.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_HTTPS_RENEWAL_CLIENT_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_HTTPS_RENEWAL_CLIENT_H_

#include <stop_token>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/edgehub-svc/renewal/certificate_renewer.h"
#include "services/edgehub-svc/renewal/node_identity.h"
#include "services/lib/http/https_client.h"

namespace skerry::edgehub {

// POST /v1/renew at the hub's join port. UNAVAILABLE: it was not reached, or is too busy.
class HttpsRenewalClient final : public RenewalClient {
 public:
  struct Config {
    std::string address;      // "host:port" of the join port.
    std::string server_name;  // Expected in the hub's certificate; empty: the host of `address`.
    std::string ca_file;
  };

  // `https` outlives it.
  HttpsRenewalClient(Config config, http::HttpsClient& https);

  absl::StatusOr<std::string> Renew(const NodeIdentity& present,
                                    absl::string_view csr_pem) override;
  void Cancel() override { stop_.request_stop(); }

 private:
  const Config config_;
  http::HttpsClient& https_;
  std::stop_source stop_;
};

// "hub.example:10002" of "hub.example:10000".
std::string JoinAddressOf(absl::string_view link_address);

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_ADAPTERS_HTTPS_RENEWAL_CLIENT_H_
