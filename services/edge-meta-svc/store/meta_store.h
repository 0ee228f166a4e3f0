// The box's copy of Kubernetes objects, and the reports that wait for the hub.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_STORE_META_STORE_H_
#define SKERRY_SERVICES_EDGE_META_SVC_STORE_META_STORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/edge-meta-svc/core/batch.h"
#include "services/edge-meta-svc/core/hybrid_time.h"
#include "services/lib/watch/change.h"
#include "services/lib/watch/source.h"

namespace skerry::edgemeta {

struct TypeState {
  int64_t objects = 0;
  std::optional<absl::Time> last_synced;  // Nullopt until the cloud has named all of the type once.
};

struct Report {
  int64_t number = 0;  // The store's; greater for every newer report.
  std::string type;
  std::string key;
  int64_t generation = 0;
  HybridTime time;
  std::string value;
};

// What became of a report.
enum class PutOutcome {
  kStored,    // A new key.
  kReplaced,  // Took the place of an older value of its key.
};

// Whatever returned OK survives a crash of the process and a loss of power. Any thread may call it;
// one thread alone calls Apply and the methods of watch::Source, so that what it reads there does
// not move.
class MetaStore : public watch::Source {
 public:
  // New with every new file: positions of another one mean nothing here.
  virtual const std::string& id() const = 0;

  // Applies all mutations or none, in order, and returns what changed (an upsert of the version
  // that is held already, and a delete of what is not there, change nothing). RESOURCE_EXHAUSTED /
  // DATABASE_FULL.
  virtual absl::StatusOr<std::vector<watch::Change>> Apply(const Batch& batch, absl::Time now) = 0;

  // NOT_FOUND / OBJECT_UNKNOWN.
  virtual absl::StatusOr<watch::Change> Get(absl::string_view type, absl::string_view key) = 0;
  // In order of key, after `after_key`: at most `limit`, and no more than fit `bytes_max` beyond
  // the first. An empty namespace means all.
  virtual absl::StatusOr<std::vector<watch::Change>> List(absl::string_view type,
                                                          absl::string_view object_namespace,
                                                          absl::string_view after_key, size_t limit,
                                                          size_t bytes_max) = 0;
  // (key, version) of every object of the type.
  virtual absl::StatusOr<std::vector<std::pair<std::string, std::string>>> Holdings(
      absl::string_view type) = 0;
  virtual absl::StatusOr<TypeState> StateOf(absl::string_view type) = 0;

  // Keeps the latest value of (type, key): what comes later is newer. Its time is the store's next,
  // greater than any that this store ever gave, whatever the wall clock `now` says.
  // RESOURCE_EXHAUSTED / REPORTS_FULL at the bound: nothing was stored, the older value stands.
  virtual absl::StatusOr<PutOutcome> PutReport(Report report, absl::Time now) = 0;
  // Stored reports after `number`, in order: at most `limit`, and no more than fit `bytes_max`
  // beyond the first.
  virtual absl::StatusOr<std::vector<Report>> Reports(int64_t number, size_t limit,
                                                      size_t bytes_max) = 0;
  // Forgets reports by number; one that a newer value has replaced is gone already.
  virtual absl::Status DropReports(const std::vector<int64_t>& numbers) = 0;
  virtual absl::StatusOr<int64_t> CountReports() = 0;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_STORE_META_STORE_H_
