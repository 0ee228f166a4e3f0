// Changes that are committed together, and what is said to the cloud once they are.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_BATCH_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace skerry::edgemeta {

struct Mutation {
  enum class Kind { kUpsert, kDelete };
  Kind kind = Kind::kUpsert;
  std::string type;
  std::string key;
  std::string version;  // Of an upsert.
  std::string object;   // Of an upsert.
};

// Everything of the subscription up to `sequence` is stored, but for the rejections.
struct Ack {
  uint64_t subscription_id = 0;
  uint64_t sequence = 0;
  std::vector<std::pair<uint64_t, absl::Status>> rejections;
};

struct Batch {
  std::vector<Mutation> mutations;  // In order.
  std::set<std::string> synced;     // Types that the cloud has now named in full.
  std::map<std::string, Ack> acks;  // By type.
  size_t bytes = 0;

  bool empty() const { return acks.empty(); }
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_BATCH_H_
