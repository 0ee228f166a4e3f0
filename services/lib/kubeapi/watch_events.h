// The events of one watch: a chunked answer, one JSON object per line.
#ifndef SKERRY_SERVICES_LIB_KUBEAPI_WATCH_EVENTS_H_
#define SKERRY_SERVICES_LIB_KUBEAPI_WATCH_EVENTS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"
#include "services/lib/http/server.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/media_type.h"
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

// Turns the objects that are there, then the store's changes, into events on one stream. One thread
// at a time: who sends the objects is done before the store's delivery thread begins. The clock
// outlives it.
class WatchEvents final : public WatchSink {
 public:
  WatchEvents(Clock& clock, WatchOptions options, std::shared_ptr<http::ResponseStream> stream);

  // The functions that return bool: false when the client is gone or too slow.
  bool SendInitial(const Json& object) { return Send("ADDED", object); }
  // The bookmark that ends the initial events.
  bool SendInitialEnd(StoreRevision revision);
  // Says what is wrong and ends the stream.
  void Fail(const absl::Status& status);

  bool OnChange(const Change& change) override;
  bool OnProgress(StoreRevision revision) override;
  void OnClosed(const absl::Status& status) override;

 private:
  bool Matches(const Json& object) const;
  bool SendBookmark(StoreRevision revision, bool initial_end);
  bool Send(const char* type, const Json& object);
  bool Write(const char* type, const Json& object);

  Clock& clock_;
  const WatchOptions options_;
  const std::shared_ptr<http::ResponseStream> stream_;
  bool columns_sent_ = false;
};

}  // namespace skerry::kubeapi

#endif  // SKERRY_SERVICES_LIB_KUBEAPI_WATCH_EVENTS_H_
