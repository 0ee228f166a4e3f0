// What the other replicas do with queued commands.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_WATCH_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_WATCH_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/listener.h"
#include "services/lib/postgres/pool.h"

namespace skerry::cloudhub {

// Follows hub_commands in the database that the replicas share: tells within milliseconds that a
// command of a node was queued or has gone on, at whichever hub. Where announcements may have been
// lost it tells that, and names the nodes that have commands which have not ended.
//
// Its events are called on a thread of its own, until the destructor returns. `pool` outlives it.
class CommandWatch {
 public:
  struct Events {
    std::function<void(const std::string& node)> changed;
    std::function<void()> missed;
  };

  CommandWatch(postgres::Pool& pool, Events events, log::Logger log);

 private:
  absl::Status Read();

  postgres::Pool& pool_;
  const Events events_;
  postgres::Listener listener_;  // Last: its thread uses the rest.
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_STORE_COMMAND_WATCH_H_
