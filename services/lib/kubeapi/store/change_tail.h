// Follows the log of a shared database and brings each change to the watch hub.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_CHANGE_TAIL_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_CHANGE_TAIL_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/store/watch_hub.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/listener.h"
#include "services/lib/postgres/pool.h"

namespace skerry::kubeapi {

// After the database was away it goes on where it was. `pool` and `hub` outlive it.
class ChangeTail {
 public:
  ChangeTail(postgres::Pool* pool, WatchHub* hub, absl::Duration poll_interval, log::Logger log);

 private:
  absl::Status ReadNew();

  postgres::Pool* const pool_;
  WatchHub* const hub_;
  postgres::Listener listener_;  // Last: its thread uses the rest.
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_CHANGE_TAIL_H_
