// Follows the log of a shared database and brings each change to the watch hub.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_STORE_CHANGE_TAIL_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_STORE_CHANGE_TAIL_H_

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/kubeapi/store/watch_hub.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/pool.h"

namespace skerry::kubeapi {

// A thread of its own with a connection that listens. When the database is away it tries again each
// second and goes on where it was. `pool` and `hub` outlive it.
class ChangeTail {
 public:
  ChangeTail(postgres::Pool* pool, WatchHub* hub, absl::Duration poll_interval, log::Logger log);
  ~ChangeTail();
  ChangeTail(const ChangeTail&) = delete;
  ChangeTail& operator=(const ChangeTail&) = delete;

 private:
  void Loop();
  // Until the connection breaks or the end.
  absl::Status Follow();
  absl::Status ReadNew();
  bool Stopping();
  void Pause();

  postgres::Pool* const pool_;
  WatchHub* const hub_;
  const absl::Duration poll_interval_;
  const log::Logger log_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_STORE_CHANGE_TAIL_H_
