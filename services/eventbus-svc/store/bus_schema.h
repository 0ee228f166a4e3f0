// The tables of SqliteBusStore.
#ifndef SKERRY_SERVICES_EVENTBUS_SVC_STORE_BUS_SCHEMA_H_
#define SKERRY_SERVICES_EVENTBUS_SVC_STORE_BUS_SCHEMA_H_

#include "services/eventbus-svc/store/delivery.h"

namespace skerry::eventbus {

inline constexpr const char* kBusMigrations[] = {
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), store_id TEXT NOT NULL,"
    "  open_micros INTEGER NOT NULL, last_publication INTEGER NOT NULL,"
    "  last_upload INTEGER NOT NULL, checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE publication ("
    "  id INTEGER PRIMARY KEY,"
    "  topic TEXT NOT NULL,"
    "  payload BLOB NOT NULL,"
    "  retain INTEGER NOT NULL,"
    "  size_bytes INTEGER NOT NULL,"
    "  open_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE INDEX publication_by_topic ON publication (topic);"
    "CREATE TABLE upload ("
    "  sequence INTEGER PRIMARY KEY,"
    "  topic TEXT NOT NULL,"
    "  payload BLOB NOT NULL,"
    "  time_micros INTEGER NOT NULL,"
    "  size_bytes INTEGER NOT NULL,"
    "  open_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE seen_twin ("
    "  device TEXT PRIMARY KEY,"
    "  uid TEXT NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;",
    "CREATE TABLE rule_filter ("
    "  filter TEXT PRIMARY KEY,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;",
    kDeliveryTable,
};

// A repaired store gets another id, under which edgehub-svc takes all sequences as new ones: what
// it has already of those that are here is then sent once more.
inline constexpr char kAfterBusRepair[] = "DELETE FROM store;";

}  // namespace skerry::eventbus

#endif  // SKERRY_SERVICES_EVENTBUS_SVC_STORE_BUS_SCHEMA_H_
