// The hubs that the configuration names.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_FINDER_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_FINDER_H_

#include <grpcpp/security/credentials.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/cloudspoke/hub_source.h"
#include "services/lib/log/logger.h"

namespace skerry::cloudspoke {

// Addresses are "host:port", one hub each, or "dns:///host:port": a hub at each address that the
// name has, as of a headless Service. A name that can't be looked up keeps the hubs that it had. An
// address that stays keeps its channels. Used by one thread at a time.
class HubFinder final : public HubSource {
 public:
  struct Options {
    std::vector<std::string> addresses;
    std::shared_ptr<grpc::ChannelCredentials> credentials;
    std::string server_name;  // In the hubs' certificates; empty: the host of the address.
  };
  // The IP addresses of a host, each once, without those of a second protocol: a replica that has
  // both would be dialled twice. May wait.
  using Lookup = std::function<absl::StatusOr<std::vector<std::string>>(const std::string& host)>;
  static absl::StatusOr<std::vector<std::string>> SystemLookup(const std::string& host);

  // INVALID_ARGUMENT for an address that is none.
  static absl::StatusOr<std::unique_ptr<HubFinder>> Create(Options options, Lookup lookup,
                                                           log::Logger log);

  std::vector<HubTarget> Find() override;

 private:
  struct Name {
    std::string host;
    std::string port;
    std::vector<std::string> addresses;  // When it was last looked up.
    bool failed = false;
  };

  HubFinder(Options options, Lookup lookup, log::Logger log);
  void LookUp(Name& name);
  absl::StatusOr<HubTarget> MakeTarget(const std::string& address,
                                       const std::string& server_name) const;

  const Options options_;
  const Lookup lookup_;
  const log::Logger log_;
  std::vector<HubTarget> fixed_;
  std::vector<Name> names_;
  std::map<std::string, HubTarget> found_;  // By address, of the names.
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_FINDER_H_
