// Which node is connected, and since when it is not.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_SESSIONS_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_SESSIONS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace skerry::cloudspoke {

// A node's session at a hub. The greatest epoch is the node's one valid session, wherever it is.
struct Session {
  std::string hub;
  uint64_t epoch = 0;
  std::string event_store_id;  // Sequences of its events count within this.
  bool connected = false;
  absl::Duration changed_at;  // Monotonic time of the last connect or disconnect.
  // Its Node was there in this session, as a write showed. Where it is not any more, it was
  // deleted, also before the watch says so.
  bool node_written = false;
  // Its Node was deleted in this session: not to be made again before the next.
  bool node_deleted = false;
};

// Any thread may call it.
class Sessions {
 public:
  // False: a session with a greater epoch is known, this one is fenced. Only the hub that had it
  // may go back, once it is over: it has lost its epochs. At another it is one that was left
  // behind.
  bool Connect(absl::string_view hub, absl::string_view node, uint64_t epoch, absl::Duration now,
               absl::string_view event_store_id = "");
  // False: not the current session.
  bool Disconnect(absl::string_view hub, absl::string_view node, uint64_t epoch,
                  absl::Duration now);
  // The hub is out of reach: its nodes, now disconnected.
  std::vector<std::string> DropHub(absl::string_view hub, absl::Duration now);

  // The node is connected there with that epoch.
  bool IsCurrent(absl::string_view hub, absl::string_view node, uint64_t epoch) const;
  std::optional<Session> Find(absl::string_view node) const;
  void NodeWritten(absl::string_view node);
  // The Node was deleted. Forgets a node that is not connected.
  void NodeDeleted(absl::string_view node);
  size_t connected() const;
  size_t connected_to(absl::string_view hub) const;

 private:
  void Count(const std::string& hub, int delta) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::map<std::string, Session> nodes_ ABSL_GUARDED_BY(mutex_);
  size_t connected_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, size_t> connected_to_ ABSL_GUARDED_BY(mutex_);  // By hub, never 0.
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_SESSIONS_H_
