// When one property is read, written and reported.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CORE_PROPERTY_CYCLE_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CORE_PROPERTY_CYCLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/backoff.h"
#include "services/mappers/lib/core/device_events.h"
#include "services/mappers/lib/core/device_plan.h"

namespace skerry::mapper {

// A value machine; times are monotonic. Of what twin-svc was not told it keeps the newest.
class PropertyCycle {
 public:
  // Read at once, and reported as soon as it was read.
  PropertyCycle(PropertyPlan plan, absl::Duration now, uint64_t seed);

  // Values that were read and written stay. The next reading is at once.
  void Replan(PropertyPlan plan, absl::Duration now);

  // It is another device now: what is desired is written to it, too.
  void ForgetWritten(absl::Duration now);

  const PropertyPlan& plan() const { return plan_; }

  // The device was away and is back, with its power perhaps: where its next reading is not the last
  // one before, what is desired is written again.
  void OnReturned();

  absl::Duration read_due() const { return read_due_; }
  void ReadNow(absl::Duration now);
  void OnReadStarted(absl::Duration now);
  void OnRead(Value value, absl::Duration now);
  // The value stays what it was; the next cycle tries again.
  void OnReadFailed();

  // Infinite where the device has taken what is desired.
  absl::Duration write_due() const;
  // What is desired now; write_due() is finite.
  const std::string& desired() const { return *plan_.desired; }
  void OnWritten(Value value, absl::Duration now);
  void OnWriteFailed(absl::Duration now);

  // Infinite where there is nothing to tell.
  absl::Duration report_due() const;
  // After a refusal, until one of its reports is taken: it goes by itself, so that a bad one does
  // not keep others back.
  bool alone() const { return alone_; }
  TwinReport StartReport(absl::Duration now);
  void OnReported();
  // Told again, or what has come since in its place.
  void OnReportFailed();
  // twin-svc does not want it: for good, where the report was about this property alone.
  void OnReportRefused(bool was_alone);
  size_t report_bytes() const;

 private:
  bool Changed() const;  // Since the last report, by more than the dead band.

  PropertyPlan plan_;
  absl::Duration read_due_;
  std::optional<Value> value_;    // As last read.
  std::optional<Value> written_;  // Last desired value that the device took, and is held to.
  absl::Duration write_due_;
  link::Backoff write_backoff_;
  bool returned_ = false;  // The next reading tells whether the device holds what it took.
  bool confirm_ = false;   // A write is to be reported with the next reading, whatever it says.

  std::optional<std::string> told_;  // The value of the last report.
  absl::Duration report_due_;
  bool fresh_ = false;   // There is something to tell.
  bool urgent_ = false;  // Before report_due_.
  bool alone_ = false;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CORE_PROPERTY_CYCLE_H_
