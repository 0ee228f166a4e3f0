// Watches: a chunked answer of events, one JSON object per line.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_WATCH_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_WATCH_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/media_type.h"
#include "services/lib/kubeapi/object_service.h"
#include "services/lib/kubeapi/resource.h"
#include "services/lib/kubeapi/selectors.h"
#include "services/lib/kubeapi/store/object_store.h"
#include "services/lib/kubeapi/table.h"

namespace skerry::kubeapi {

struct WatchOptions {
  ResourcePtr resource;
  std::string ns;
  LabelSelector labels;
  FieldSelector fields;
  ObjectForm form = ObjectForm::kObject;
  IncludeObject include = IncludeObject::kMetadata;
  StoreRevision after = 0;  // 0: the present state comes first, as ADDED events.
  bool initial_events =
      false;  // That state also where `after` is given; ends with a marked bookmark.
  bool skip_initial = false;  // From now on, without the present state.
  bool bookmarks = false;
  absl::Duration timeout = absl::Minutes(30);
};

// Starts the answer on `responder` and feeds it from the store until the client goes, the timeout
// is over or the store ends it. All that is named here outlives the stream except options and
// responder. `on_closed` is called once after the last event. An error that is known before the
// first byte is returned (and the responder is unused).
absl::Status ServeWatch(ObjectService& objects, ObjectStore& store, Clock& clock,
                        WatchOptions options, const std::shared_ptr<http::Responder>& responder,
                        std::function<void()> on_closed);

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_WATCH_H_
