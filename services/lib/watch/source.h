// What a watch reads from a store before it follows the store's changes.
#ifndef SKERRY_SERVICES_LIB_WATCH_SOURCE_H_
#define SKERRY_SERVICES_LIB_WATCH_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "services/lib/watch/change.h"

namespace skerry::watch {

// (type, key) of the last object read; the empty position is before all.
using Position = std::pair<std::string, std::string>;

struct LogPage {
  std::vector<Change> changes;
  int64_t read_to = 0;  // Everything up to this revision was looked at.
};

// Implemented by stores. Called by the one thread that also commits and publishes changes.
class Source {
 public:
  virtual ~Source() = default;
  // Of the last change.
  virtual int64_t Revision() = 0;
  // Present objects of `types` after `after`, ordered by (type, key): at least one if there is one,
  // and no more than fit `bytes_max`.
  virtual absl::StatusOr<std::vector<Change>> ReadObjects(const std::set<std::string>& types,
                                                          const Position& after,
                                                          size_t bytes_max) = 0;
  // Whether what is present of `types` is all there is. Until then a snapshot does not end: its
  // reader must not take for gone what has only not come yet (a new store, or one that replaced a
  // damaged one). Asked again after every commit.
  virtual absl::StatusOr<bool> Complete(const std::set<std::string>& types) = 0;
  // Changes of `types` after `revision` in order; an upsert that a later change has replaced is
  // left out. OUT_OF_RANGE / RESUME_TOKEN_EXPIRED if the log does not reach back that far.
  virtual absl::StatusOr<LogPage> ReadLog(const std::set<std::string>& types, int64_t revision,
                                          size_t bytes_max) = 0;
};

}  // namespace skerry::watch

#endif  // SKERRY_SERVICES_LIB_WATCH_SOURCE_H_
