// Watches: the state that is there, then what changes.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_WATCH_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_WATCH_H_

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/watch_events.h"

namespace skerry::kubeapi {

// Any thread may call it. Objects, store and clock outlive it, and it outlives the streams that it
// was given.
class WatchServer {
 public:
  WatchServer(ObjectService& objects, ObjectStore& store, Clock& clock);

  // Starts the answer on `responder` and feeds it until the client goes, the timeout is over or the
  // store ends it. The state comes first where it is asked for, page by page as the client reads:
  // on this thread while the stream has room, from then on on one of the server's own. `on_closed`
  // is called once after the last event. An error that is known before the first byte is returned
  // (and the responder is unused).
  absl::Status Serve(WatchOptions options, const std::shared_ptr<http::Responder>& responder,
                     std::function<void()> on_closed);

 private:
  class Feed;

  ObjectService& objects_;
  ObjectStore& store_;
  Clock& clock_;
  exec::SerialExecutor pages_;  // Last: its thread uses the above. At most one post for a stream.
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_WATCH_H_
