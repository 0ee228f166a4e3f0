// Which twins are to be reported to the cloud, and when.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_REPORT_PLAN_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_REPORT_PLAN_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "services/lib/model/names.h"

namespace skerry::twin {

// However often a twin changes, it is due once, and no sooner than `interval` after the last time;
// one that was quiet goes at once. A name each of those that are due, are under way, or were
// reported within the interval. Pure; one thread. Times are monotonic.
class ReportPlan {
 public:
  ReportPlan(absl::Duration interval, size_t under_way_max)
      : interval_(interval), under_way_max_(under_way_max) {}

  void Changed(const DeviceName& device, absl::Duration now);
  void Gone(const DeviceName& device);
  // The next that is due: under way from now on. None while too many are.
  std::optional<DeviceName> Next(absl::Duration now);
  // What Next gave has ended. `again`: it was not taken, and is due after `pause`.
  void Done(const DeviceName& device, bool again, absl::Duration pause, absl::Duration now);
  // When Next may have something that it has not now; infinite: not by time alone.
  absl::Duration NextWake() const;

  size_t due() const { return due_.size() + waiting_; }
  size_t under_way() const { return under_way_; }
  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    absl::Duration ready;  // When it may go (again).
    bool due = false;
    bool under_way = false;
  };
  using Times = std::set<std::pair<absl::Duration, DeviceName>>;

  // Where the entry belongs, by what it is. An entry is in no set while it is under way.
  void Place(const DeviceName& device, const Entry& entry);
  void Remove(const DeviceName& device, const Entry& entry);

  const absl::Duration interval_;
  const size_t under_way_max_;
  std::map<DeviceName, Entry> entries_;
  Times due_;
  Times quiet_;  // Reported, and forgotten when they are ready.
  size_t under_way_ = 0;
  size_t waiting_ = 0;  // Due, and under way besides.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_REPORT_PLAN_H_
