// How long the box's objects have been behind the cloud's.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_SYNC_LAG_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_SYNC_LAG_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::edgemeta {

// A type is in step from the commit of its subscription's `synced` until the next subscription of
// it, or the end of the link. Until it is again, it lags: by the time in which there was a link.
// Without one a lag stands still (what was in step stays at 0), because whether the cloud has
// changed anything is not known then, and a link that comes and goes does not set it back: only
// being in step does. All types begin as not in step. `now` is monotonic. One thread uses it.
class SyncLag {
 public:
  explicit SyncLag(const std::vector<std::string>& types);

  void Linked(bool linked, absl::Duration now);
  // A subscription of `type` begins. Types that were not given are ignored, here and below.
  void Subscribed(absl::string_view type, absl::Duration now);
  void InStep(absl::string_view type);

  // Zero in step.
  absl::Duration Of(absl::string_view type, absl::Duration now) const;
  // Some type's lag grows by itself now.
  bool grows() const;

 private:
  struct Lag {
    bool in_step = false;
    absl::Duration before;  // Up to `since`.
    absl::Duration since;   // Where the present stretch begins; only while linked and not in step.
  };

  std::map<std::string, Lag, std::less<>> types_;
  bool linked_ = false;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_SYNC_LAG_H_
