// What a mapper does next for one device: connect, read, write, check, report.
#ifndef SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_CYCLE_H_
#define SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_CYCLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/link/backoff.h"
#include "services/mappers/lib/core/device_events.h"
#include "services/mappers/lib/core/device_plan.h"
#include "services/mappers/lib/core/property_cycle.h"

namespace skerry::mapper {

// Pure: events in, effects out, monotonic time is a parameter. The caller performs each effect and
// tells its result by the event of that name, and calls Step(Woken) at wake().
//
// The device does one thing at a time; first what is desired is written, then what is due longest
// is read. An answer of any kind means that it is online. UNAVAILABLE and DEADLINE_EXCEEDED mean
// that it is not: the connection is made anew, with back-off. Other errors are the property's own.
//
// Reports go one at a time, while twin-svc is there. What it could not be told is kept, the newest
// of each property, and sent when it is back. Only what it refuses for good is dropped.
class DeviceCycle {
 public:
  DeviceCycle(DevicePlan plan, bool link_up, absl::Duration now, uint64_t seed);

  Effects Step(Event event, absl::Duration now);

  // When to step next if nothing happens before; may be infinite.
  absl::Duration wake() const { return wake_; }
  // Nothing until the first answer, or its absence.
  std::optional<bool> online() const { return online_; }

 private:
  enum class Busy { kNo, kReport, kStateReport };

  void Handle(Planned& event, absl::Duration now);
  void Handle(LinkChanged& event, absl::Duration now);
  void Handle(ConnectDone& event, absl::Duration now);
  void Handle(ReadDone& event, absl::Duration now);
  void Handle(WriteDone& event, absl::Duration now);
  void Handle(CheckDone& event, absl::Duration now);
  void Handle(MethodDone& event, absl::Duration now);
  void Handle(ReportDone& event, absl::Duration now);
  void Handle(Woken& event, absl::Duration now);

  void MakeProperties(absl::Duration now);
  PropertyCycle* Find(const std::string& name);
  // The operation that was under way has ended. False where it was one of a connection that is no
  // longer meant: its result says nothing.
  bool EndOperation(const absl::Status& status, absl::Duration now);
  void Lose(absl::Duration now);
  void SetOnline(bool online);
  // Of what to do now, and when next otherwise: both lower wake_.
  std::optional<Effect> NextOperation(absl::Duration now);
  std::optional<Effect> NextReport(absl::Duration now);
  std::optional<Effect> CollectReport(absl::Duration now);
  void WakeAt(absl::Duration at);

  DevicePlan plan_;
  uint64_t seed_;
  std::map<std::string, PropertyCycle> properties_;
  absl::Duration wake_ = absl::InfiniteDuration();

  bool connected_ = false;
  bool reconnect_ = false;  // As soon as the operation under way has ended.
  absl::Duration connect_due_;
  link::Backoff connect_backoff_;
  std::optional<absl::Duration> operation_since_;  // Where one is under way.
  absl::Duration check_due_;
  std::optional<bool> online_;

  bool link_up_;
  Busy reporting_ = Busy::kNo;
  std::vector<std::string> in_report_;
  bool state_told_ = true;  // twin-svc knows, or is being told, the state that holds.
  absl::Duration state_due_;
  absl::Duration report_not_before_;
  link::Backoff report_backoff_;
};

}  // namespace skerry::mapper

#endif  // SKERRY_SERVICES_MAPPERS_LIB_CORE_DEVICE_CYCLE_H_
