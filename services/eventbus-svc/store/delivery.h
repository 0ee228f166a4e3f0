// Messages of the broker that were taken already: a broker delivers what it holds for
// unacknowledged once more.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_STORE_DELIVERY_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_STORE_DELIVERY_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/sqlite/database.h"

namespace skerry::eventbus {

// How the broker has sent a message.
struct Delivery {
  int packet_id = 0;       // 0: with QoS 0, once at most.
  bool duplicate = false;  // It has sent it before (DUP).
};

// A message that comes once more has its former packet id (MQTT 3.1.1, 4.4), so one row for each id
// tells: at most 65,535.
inline constexpr char kDeliveryTable[] =
    "CREATE TABLE delivery ("
    "  packet_id INTEGER PRIMARY KEY,"
    "  digest TEXT NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;";

// Part of the transaction that takes the message: false where it was taken before. Another message
// with that id takes its place.
absl::StatusOr<bool> IsFirstDelivery(sqlite::Database& database, const Delivery& delivery,
                                     absl::string_view topic, absl::string_view payload);

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_STORE_DELIVERY_H_
