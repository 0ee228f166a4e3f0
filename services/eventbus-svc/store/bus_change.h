// What changes in eventbus-svc's store, as values.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_STORE_BUS_CHANGE_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_STORE_BUS_CHANGE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/eventbus-svc/store/delivery.h"
#include "services/lib/model/names.h"

namespace skerry::eventbus {

// What is to be published to the broker.
struct Publication {
  std::string topic;
  std::string payload;
  bool retain = false;
  // It tells how something is now: of those that wait on one topic only the newest is of use.
  bool state = false;
};

// A message of a user's, for the cloud.
struct UserUpload {
  std::string topic;
  std::string payload;
  absl::Time time;  // When it came.
  Delivery delivery;
};

// The last state of a twin of which MQTT clients were told.
struct SeenTwin {
  std::string uid;
  uint64_t version = 0;
  bool operator==(const SeenTwin&) const = default;
};

// All of it happens or nothing, in the order of the members.
struct BusChange {
  std::vector<uint64_t> published;     // Publications that the broker has.
  uint64_t uploaded = 0;               // User messages up to this sequence are with edgehub-svc.
  std::vector<std::string> withdrawn;  // Topics on which what waits is not true any more.
  std::vector<Publication> publish;
  std::vector<UserUpload> receive;
  std::map<DeviceName, std::optional<SeenTwin>> seen;  // nullopt: the device is gone.
  std::map<std::string, bool> rule_filters;  // Whether the broker may have that subscription.
};

struct WaitingPublication {
  uint64_t id = 0;  // Greater for what came later; never given again.
  Publication publication;
};

struct WaitingUpload {
  uint64_t sequence = 0;  // As `id`.
  UserUpload upload;
};

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_STORE_BUS_CHANGE_H_
