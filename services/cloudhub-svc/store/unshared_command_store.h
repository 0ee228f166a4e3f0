// The CommandStore of a replica, which has no queue.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_UNSHARED_COMMAND_STORE_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_UNSHARED_COMMAND_STORE_H_

#include <optional>
#include <vector>

#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/base/error.h"

namespace skerry::cloudhub {

// A queue of this replica alone would hold commands back whose node is at another one. So it takes
// none, and has none.
class UnsharedCommandStore final : public CommandStore {
 public:
  absl::StatusOr<bool> Insert(const StoredCommand&) override {
    return Error(absl::StatusCode::kFailedPrecondition,
                 "this hub is one of several (store.kind postgres), and they share no queue of "
                 "commands: send with DELIVERY_WAIT to the hub that has the node, and again with "
                 "the same key when the call breaks")
        .Reason("QUEUE_NOT_SHARED");
  }
  absl::StatusOr<std::optional<StoredCommand>> Find(absl::string_view, absl::string_view) override {
    return std::nullopt;
  }
  absl::StatusOr<std::vector<StoredCommand>> Unended(absl::string_view) override {
    return std::vector<StoredCommand>();
  }
  absl::StatusOr<std::vector<StoredCommand>> List(absl::string_view, absl::string_view,
                                                  size_t) override {
    return std::vector<StoredCommand>();
  }
  absl::StatusOr<bool> Update(absl::string_view, absl::string_view, const link::CommandProgress&,
                              absl::Time) override {
    return false;
  }
  absl::StatusOr<int64_t> Sweep(absl::Time, absl::Duration) override { return 0; }
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_UNSHARED_COMMAND_STORE_H_
