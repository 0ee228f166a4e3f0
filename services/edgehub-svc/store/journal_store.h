// Where reports wait, durably, until the cloud has applied them.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_STORE_JOURNAL_STORE_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_STORE_JOURNAL_STORE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/lib/link/frames.h"

namespace skerry::edgehub {

struct JournalBounds {
  int64_t size_bytes_max = 64 << 20;              // Sum of link::ReportBytes.
  int64_t type_bytes_max = 32 << 20;              // The same of one type: none takes all the room.
  absl::Duration age_max = absl::Hours(24 * 30);  // Of the time that the service runs.
};

struct JournalStats {
  int64_t entries = 0;
  int64_t size_bytes = 0;
  std::map<std::string, int64_t> type_bytes;        // Of the types that have entries.
  absl::Time oldest_time = absl::InfiniteFuture();  // Now less the age of the oldest entry.
  uint64_t last_sequence = 0;                       // Ever given.
  uint64_t acked_sequence = 0;                      // The greatest ever trimmed.
};

// The latest value of each (type, key), in the order in which they were put: what is put later is
// newer. Entries age by the time for which the journal is open, whatever the wall clock does. The
// epoch of the last session is kept with them because both are lost together. One thread at a time.
class JournalStore {
 public:
  virtual ~JournalStore() = default;

  // New with every new journal: sequences count within it.
  virtual const std::string& id() const = 0;

  // Stores all in one commit and returns each one's outcome, in order: its new sequence (greater
  // than any before), or RESOURCE_EXHAUSTED / JOURNAL_FULL, where the older value stands and the
  // message names the bound. An error of the whole means that nothing was stored.
  virtual absl::StatusOr<std::vector<absl::StatusOr<uint64_t>>> Put(
      const std::vector<link::Report>& reports) = 0;

  struct Batch {
    std::vector<link::Report> reports;  // By sequence.
    bool more = false;                  // There are further ones.
  };
  // Entries of a type above `after`: at most `count_max`, and no further one once there are
  // `bytes_max`.
  virtual absl::StatusOr<Batch> Read(absl::string_view type, uint64_t after, size_t count_max,
                                     size_t bytes_max) = 0;

  // Forgets the type's entries up to `up_to`.
  virtual absl::Status Trim(absl::string_view type, uint64_t up_to) = 0;
  // Forgets what is older than the bound; returns how many entries that were. To be called now and
  // then: a crash takes back the ageing since the last call.
  virtual absl::StatusOr<int64_t> DropExpired() = 0;

  // The last sequence of each type that has entries.
  virtual absl::StatusOr<std::map<std::string, uint64_t>> LastSequences() = 0;
  virtual JournalStats stats() const = 0;

  // Durable before it returns.
  virtual absl::Status StoreEpoch(uint64_t epoch) = 0;
};

}  // namespace skerry::edgehub

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_STORE_JOURNAL_STORE_H_
