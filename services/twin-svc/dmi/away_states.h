// The states of devices whose mapper is away.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_AWAY_STATES_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_AWAY_STATES_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "services/lib/base/clock.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/mapper_presence.h"
#include "services/twin-svc/runner/twin_desk.h"

namespace skerry::twin {

// A device that is online and whose mapper is away becomes "unknown"; one that is so, and of which
// its mapper has said nothing since it is there again, becomes what it was. What is said meanwhile
// stands. Used on one thread; desk and clock outlive it. It keeps a name for each device that was
// "ok" instead of "online"; after a restart of this service such a one comes back as "online".
class AwayStates {
 public:
  using Failed = std::shared_ptr<std::atomic<bool>>;

  AwayStates(TwinDesk& twins, Clock& clock) : twins_(twins), clock_(clock) {}

  // `mapper`: the name of the device's. `failed` is set, on the desk's thread or at once, where it
  // could not be stored: then it is to be tried again.
  void Update(const DeviceName& device, const std::string& mapper, MapperPresence::State state,
              const Failed& failed);
  void Forget(const DeviceName& device) { former_.erase(device); }  // It is gone.

 private:
  void Submit(const DeviceName& device, StateReport report, const Failed& failed);

  TwinDesk& twins_;
  Clock& clock_;
  std::map<DeviceName, std::string> former_;  // What they were, but for "online".
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_AWAY_STATES_H_
