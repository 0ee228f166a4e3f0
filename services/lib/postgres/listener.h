// Hears what others announce in a database (LISTEN, NOTIFY).
#ifndef SKERRY_SERVICES_LIB_POSTGRES_LISTENER_H_
#define SKERRY_SERVICES_LIB_POSTGRES_LISTENER_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/log/logger.h"
#include "services/lib/postgres/pool.h"

namespace skerry::postgres {

// A thread of its own with a connection that listens. Announcements are lost while the database is
// away, so what they speak of is read too: when the connection listens, and every poll_interval.
// When the database is away it tries again each second. `pool` outlives it.
class Listener {
 public:
  struct Options {
    std::string name;  // Of the thread, and in the log.
    std::string channel;
    absl::Duration poll_interval;
  };
  // Called on the listener's thread. An error makes it connect again.
  struct Events {
    // anew: the connection is new, anything may have been missed.
    std::function<absl::Status(bool anew)> read;
    // The payloads that have come since; at least one.
    std::function<absl::Status(const std::vector<std::string>& payloads)> heard;
    // Whether it listens. May be null.
    std::function<void(bool listens)> state;
  };

  Listener(Pool& pool, Options options, Events events, log::Logger log);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  void Loop();
  // Until the connection breaks or the end.
  absl::Status Follow();
  bool Stopping();
  void Pause();

  Pool& pool_;
  const Options options_;
  const Events events_;
  const log::Logger log_;
  absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace skerry::postgres

#endif  // SKERRY_SERVICES_LIB_POSTGRES_LISTENER_H_
