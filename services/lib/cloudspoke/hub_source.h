// Where the hubs are.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_SOURCE_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_SOURCE_H_

#include <memory>
#include <string>
#include <vector>

namespace grpc {
class Channel;
}  // namespace grpc

namespace skerry::cloudspoke {

// One replica of cloudhub-svc.
struct HubTarget {
  std::string address;  // Also its name.
  std::shared_ptr<grpc::Channel> channel;
  // Streams have a connection of their own: what they carry holds up no push.
  std::shared_ptr<grpc::Channel> tunnel_channel;
};

class HubSource {
 public:
  virtual ~HubSource() = default;
  // All replicas that are known now. May wait. One call at a time.
  virtual std::vector<HubTarget> Find() = 0;
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_HUB_SOURCE_H_
