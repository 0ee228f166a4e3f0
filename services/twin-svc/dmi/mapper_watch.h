// Whether a mapper is there, and what that makes of its devices.
#ifndef SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_WATCH_H_
#define SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_WATCH_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/model/names.h"
#include "services/twin-svc/core/mapper_presence.h"
#include "services/twin-svc/dmi/away_states.h"

namespace skerry::twin {

// Of one mapper. Who owns it asks the mapper, again and again. Used on one thread; what Context
// refers to outlives it.
class MapperWatch {
 public:
  struct Context {
    AwayStates& states;
    // Devices of the mapper after this one, in order, at most so many.
    std::function<std::vector<DeviceName>(const std::optional<DeviceName>& after, size_t count_max)>
        devices;
    // Whether it has reported something since this was called last.
    std::function<bool()> reported;
    absl::Duration away_after;
  };

  MapperWatch(std::string mapper, Context context)
      : mapper_(std::move(mapper)),
        context_(std::move(context)),
        presence_(context_.away_after),
        swept_(presence_.state()) {}

  void Registered();
  // It has answered, or not, what it was asked then. Goes on with its devices, a bounded number of
  // them each time.
  void OnAsked(bool answered, absl::Duration asked, absl::Duration now);
  // A device of it is new here.
  void Update(const DeviceName& device);

  bool away() const { return presence_.state() == MapperPresence::State::kAway; }
  // From an answer to the next question, and how long that may take: at least two of them within
  // away_after.
  absl::Duration pause() const;
  absl::Duration patience() const;

 private:
  void Sweep();

  const std::string mapper_;
  const Context context_;
  MapperPresence presence_;
  MapperPresence::State swept_;  // Of which the devices are told, or are being told.
  bool sweeping_ = false;
  std::optional<DeviceName> last_;  // That the sweep has come to.
  AwayStates::Failed failed_ = std::make_shared<std::atomic<bool>>(false);
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_DMI_MAPPER_WATCH_H_
