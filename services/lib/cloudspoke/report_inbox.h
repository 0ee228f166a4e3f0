// Reports that wait to be applied: the latest of each object.
#ifndef SKERRY_SERVICES_LIB_CLOUDSPOKE_REPORT_INBOX_H_
#define SKERRY_SERVICES_LIB_CLOUDSPOKE_REPORT_INBOX_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace skerry::cloudspoke {

struct InboxReport {
  std::string hub;
  std::string node;
  uint64_t epoch = 0;
  uint64_t sequence = 0;
  std::string type;
  std::string key;
  std::string value;
};

// Any thread may call it. A newer report of a key takes the place of one that still waits: the
// older one is superseded and may be answered as done, because the newer one is in the node's
// journal on its own.
class ReportInbox {
 public:
  // bytes_max bounds the reports of one node; at the bound a report is refused, unanswered, and
  // comes again with the next session.
  explicit ReportInbox(size_t bytes_max_per_node) : bytes_max_(bytes_max_per_node) {}

  struct PutResult {
    bool accepted = false;
    std::string work_key;  // What to reconcile.
    std::optional<InboxReport> superseded;
  };
  PutResult Put(InboxReport report);
  std::optional<InboxReport> Peek(absl::string_view work_key) const;
  // The report was applied or refused for good. False if a newer one took its place meanwhile.
  bool Finish(absl::string_view work_key, uint64_t epoch, uint64_t sequence);
  // The node's session ended: it sends again what was not answered.
  void DropNode(absl::string_view node);

  size_t size() const;

 private:
  struct NodeReports {
    std::map<std::string, InboxReport> by_key;  // Work key.
    size_t bytes = 0;
  };
  mutable absl::Mutex mutex_;
  const size_t bytes_max_;
  std::map<std::string, NodeReports> nodes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudspoke

#endif  // SKERRY_SERVICES_LIB_CLOUDSPOKE_REPORT_INBOX_H_
