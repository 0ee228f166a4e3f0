// Which stored reports go to the hub next, and what becomes of its answers.
#ifndef SKERRY_SERVICES_EDGE_META_SVC_CORE_REPORT_WINDOW_H_
#define SKERRY_SERVICES_EDGE_META_SVC_CORE_REPORT_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <set>

#include "absl/status/status.h"

namespace skerry::edgemeta {

// Reports are numbered by the store: a newer value of a key has a new, greater number and its older
// row is gone, so going through the numbers once sends every key's latest value once. One thread
// uses it.
class ReportWindow {
 public:
  enum class Verdict {
    kDone,     // The hub has it: drop the row.
    kRefused,  // The hub will never take it: drop the row, say so.
    kRetry,    // Not now: call Restart() after a pause.
    kUnknown,  // Not in flight: ignore.
  };

  explicit ReportWindow(size_t in_flight_max);

  // A new stream to the hub: whatever was in flight is sent again.
  void Attach();
  void Detach();
  // Goes through all that is stored again, but for what is in flight.
  void Restart();

  // How many more may be sent now; 0 when detached, full, or between kRetry and Restart().
  size_t room() const;
  // Rows up to this number were sent, or are not due.
  int64_t cursor() const { return cursor_; }
  // True if the row is to be sent now; the cursor then is past it.
  bool Send(int64_t number);
  Verdict OnAnswer(int64_t number, const absl::Status& status);

  size_t in_flight() const { return in_flight_.size(); }

 private:
  const size_t in_flight_max_;
  bool attached_ = false;
  bool paused_ = false;
  int64_t cursor_ = 0;
  std::set<int64_t> in_flight_;
};

}  // namespace skerry::edgemeta

#endif  // SKERRY_SERVICES_EDGE_META_SVC_CORE_REPORT_WINDOW_H_
