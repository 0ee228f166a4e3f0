// The rows of a message store, in whatever database.
#ifndef SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_TABLES_H_
#define SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_TABLES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/router-svc/store/message_store.h"

namespace skerry::router {

// Used by one thread at a time; all but Transact within its body.
class MessageTables {
 public:
  struct Size {
    std::string rule;
    bool dead = false;
    int64_t count = 0;
    int64_t bytes = 0;  // Of payloads, keys, sources and rules' names.
  };
  virtual ~MessageTables() = default;

  // All of it or nothing. The body may be run again from its begin.
  virtual absl::Status Transact(absl::FunctionRef<absl::Status()> body) = 0;

  virtual absl::StatusOr<std::vector<Size>> Sizes() = 0;
  // Of a file that has a bound; else 0.
  virtual int64_t SizeBytes() = 0;
  // Of the last event that was accepted; 0: none of that event store.
  virtual absl::StatusOr<uint64_t> LastSequence(const EventSource& source) = 0;
  virtual absl::Status SetLast(const EventSource& source, uint64_t sequence) = 0;
  // With an id that is greater than all that were given before; with that of the message where it
  // has one.
  virtual absl::Status Insert(const DeadLetter& message, bool dead) = 0;
  virtual absl::StatusOr<std::optional<DeadLetter>> Find(int64_t id, bool dead) = 0;
  virtual absl::Status Delete(int64_t id) = 0;
  // In the order of ids, above `after`; of the rule, or (empty) of all.
  virtual absl::StatusOr<std::vector<DeadLetter>> List(bool dead, const std::string& rule,
                                                       int64_t after, size_t count_max) = 0;
};

}  // namespace skerry::router

#endif  // SKERRY_SERVICES_ROUTER_SVC_STORE_MESSAGE_TABLES_H_
