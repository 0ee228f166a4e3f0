// The tables of SqliteEventStore.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_EVENT_SCHEMA_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_EVENT_SCHEMA_H_

namespace skerry::edgehub {

inline constexpr const char* kEventMigrations[] = {
    "CREATE TABLE store (id INTEGER PRIMARY KEY CHECK (id = 1), store_id TEXT NOT NULL,"
    "  open_micros INTEGER NOT NULL) STRICT;"
    "CREATE TABLE stream ("
    "  id INTEGER PRIMARY KEY,"
    "  name TEXT NOT NULL UNIQUE,"
    "  priority INTEGER NOT NULL,"
    "  when_full INTEGER NOT NULL,"
    "  last_sequence INTEGER NOT NULL,"
    "  dropped INTEGER NOT NULL) STRICT;"
    "CREATE TABLE event ("
    "  stream INTEGER NOT NULL REFERENCES stream (id),"
    "  sequence INTEGER NOT NULL,"
    "  dropped_before INTEGER NOT NULL,"
    "  time_micros INTEGER NOT NULL,"
    "  key TEXT NOT NULL,"
    "  value BLOB NOT NULL,"
    "  size_bytes INTEGER NOT NULL,"
    "  open_micros INTEGER NOT NULL,"
    "  PRIMARY KEY (stream, sequence)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE producer ("
    "  stream INTEGER NOT NULL REFERENCES stream (id),"
    "  name TEXT NOT NULL,"
    "  last_sequence INTEGER NOT NULL,"
    "  used INTEGER NOT NULL,"
    "  PRIMARY KEY (stream, name)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX producer_by_use ON producer (stream, used);",
    "ALTER TABLE store ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE stream ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE event ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;"
    "ALTER TABLE producer ADD COLUMN checksum INTEGER NOT NULL DEFAULT -1;",
};

// Of a repaired store, which then gets another id: numbers may have been lost with the rest. The
// events of a stream have no gaps but where some were dropped, so each one that follows a gap, and
// the next one to come, tells of it. Of those before the first nothing can be told: the cloud may
// have them.
inline constexpr char kAfterEventRepair[] =
    "DELETE FROM store;"
    "UPDATE event SET dropped_before = g.gap, checksum = row_checksum(event.stream, event.sequence,"
    "  g.gap, time_micros, key, value, size_bytes, open_micros)"
    " FROM (SELECT stream, sequence, sequence - 1 - LAG(sequence) OVER (PARTITION BY stream"
    "   ORDER BY sequence) AS gap FROM event) AS g"
    " WHERE event.stream = g.stream AND event.sequence = g.sequence AND g.gap > 0;"
    "UPDATE stream SET last_sequence = max(last_sequence, e.last),"
    "  dropped = max(last_sequence - e.last, 0)"
    " FROM (SELECT stream, MAX(sequence) AS last FROM event GROUP BY stream) AS e"
    " WHERE stream.id = e.stream;"
    "UPDATE stream SET checksum = row_checksum(name, priority, when_full, last_sequence, dropped);";

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_EVENT_SCHEMA_H_
