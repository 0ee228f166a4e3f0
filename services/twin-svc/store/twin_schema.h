// The tables of twins.db.
#ifndef SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_SCHEMA_H_
#define SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_SCHEMA_H_

namespace skerry::twin {

inline constexpr const char* kTwinMigrations[] = {
    "CREATE TABLE store (one INTEGER PRIMARY KEY CHECK (one = 1), version_floor INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "INSERT INTO store VALUES (1, 0, row_checksum(0));"
    "CREATE TABLE twin ("
    "  device TEXT PRIMARY KEY,"
    "  uid TEXT NOT NULL,"
    "  generation INTEGER NOT NULL,"
    "  version INTEGER NOT NULL,"
    "  write_ids BLOB NOT NULL,"  // WriteIds.
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE property ("
    "  device TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  property BLOB NOT NULL,"  // skerry.twin.v1.Property, without `desired`.
    "  checksum INTEGER NOT NULL DEFAULT -1,"
    "  UNIQUE (device, name)) STRICT;",
    // States, what the cloud was told, readings. Every twin of before is to be told.
    "ALTER TABLE twin ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE twin ADD COLUMN state BLOB NOT NULL DEFAULT x'';"  // DeviceState.
    "UPDATE twin SET revision = rowid;"
    "UPDATE twin SET checksum ="
    "  row_checksum(device, uid, generation, version, write_ids, revision, state);"
    "CREATE TABLE reported ("
    "  device TEXT PRIMARY KEY,"
    "  revision INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE TABLE reading ("
    "  sequence INTEGER PRIMARY KEY,"
    "  device TEXT NOT NULL,"
    "  time_micros INTEGER NOT NULL,"  // Of its arrival, by the wall clock.
    "  value BLOB NOT NULL,"           // Readings.
    "  open_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "CREATE INDEX reading_by_device ON reading (device, sequence);"
    "CREATE TABLE reading_store ("
    "  one INTEGER PRIMARY KEY CHECK (one = 1),"
    "  producer TEXT NOT NULL,"
    "  sent INTEGER NOT NULL,"  // Sequence.
    "  bytes INTEGER NOT NULL,"
    "  open_micros INTEGER NOT NULL,"
    "  checksum INTEGER NOT NULL DEFAULT -1) STRICT;"
    "INSERT INTO reading_store VALUES (1, lower(hex(randomblob(16))), 0, 0, 0, -1);"
    "UPDATE reading_store SET checksum = row_checksum(producer, sent, bytes, open_micros);",
};

// Of a repaired store. 2^32 is more than any number of changes whose rows it may have lost.
// Properties of a twin that is gone belong to no device that is known: it is declared again. What
// the cloud has been told is not known any more. Sequences may come again: the producer is another
// one. Where it is not known what was sent, readings stay here, and do not go up twice.
inline constexpr char kAfterTwinRepair[] =
    "DELETE FROM property WHERE device NOT IN (SELECT device FROM twin);"
    "DELETE FROM reported;"
    "UPDATE twin SET generation = 0, version = version + 4294967296, revision = rowid;"
    "UPDATE twin SET checksum ="
    "  row_checksum(device, uid, generation, version, write_ids, revision, state);"
    "INSERT INTO store VALUES (1, 0, -1) ON CONFLICT DO NOTHING;"
    "UPDATE store SET version_floor = 2 * 4294967296 + max(version_floor, coalesce((SELECT "
    "max(version) FROM twin), 0));"
    "UPDATE store SET checksum = row_checksum(version_floor);"
    "INSERT INTO reading_store VALUES (1, '', coalesce((SELECT max(sequence) FROM reading), 0), 0,"
    "  0, -1) ON CONFLICT DO NOTHING;"
    "UPDATE reading_store SET producer = lower(hex(randomblob(16))),"
    "  bytes = (SELECT coalesce(sum(length(value) + length(device) + 64), 0) FROM reading),"
    "  open_micros = max(open_micros, (SELECT coalesce(max(open_micros), 0) FROM reading));"
    "UPDATE reading_store SET checksum = row_checksum(producer, sent, bytes, open_micros);";

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_STORE_TWIN_SCHEMA_H_
