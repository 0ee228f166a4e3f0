// What one mapper has been told of devices and models, and what it is told next.
#ifndef SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_SYNC_H_
#define SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_SYNC_H_

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace skerry::twin {

// State, not a queue of calls: what is wanted is compared with what the mapper has, so that however
// often a device changes while the mapper is away or slow, it is told the newest once. `content` is
// whatever differs when the mapper is to be told anew, and never empty. Pure; one thread at a time.
// Times are monotonic.
class MapperSync {
 public:
  enum class Kind {
    kCreateModel,
    kUpdateModel,
    kRemoveModel,
    kRegisterDevice,
    kUpdateDevice,
    kRemoveDevice,
  };
  struct Call {
    Kind kind;
    std::string name;  // "namespace/name" of the device or the model.

    bool operator==(const Call&) const = default;
  };

  // What the mapper has of a name, to be kept where it survives this process: a mapper that was not
  // restarted with it goes on with what it was told.
  struct Told {
    bool model = false;  // Else a device.
    std::string name;
    std::optional<std::string> content;  // None: it does not have it. Empty: it may, or another.

    bool operator==(const Told&) const = default;
  };

  // Of a call that failed, and of a mapper that is away, until it is tried again: doubled each
  // time, from the first to the last.
  static constexpr absl::Duration kRetryMin = absl::Milliseconds(250);
  static constexpr absl::Duration kRetryMax = absl::Seconds(30);

  void WantModel(const std::string& name, std::string content);
  void DropModel(const std::string& name);
  void WantDevice(const std::string& name, std::string content);
  void DropDevice(const std::string& name);

  // What the answer to a registration did not name.
  struct LeftOut {
    std::set<std::string> models = {};
    std::set<std::string> devices = {};
  };
  // The mapper has registered, and the answer named all that is wanted now but `left_out`, and
  // nothing else.
  void Registered(const LeftOut& left_out);
  void Registered() { Registered(LeftOut()); }
  // Before anything else: this process was restarted and the mapper was not. `whole` is false where
  // more may have been told than was kept.
  void Restore(const std::vector<Told>& told, bool whole);
  // What has changed of it since this was asked last. After Next it is to be kept before the call.
  std::vector<Told> TakeTold();

  // What to tell it now: nothing while a call is under way. A model comes before its devices, and
  // goes after them. A call that failed holds up no other.
  std::optional<Call> Next(absl::Duration now);
  // The call that Next gave has ended.
  void Done(bool ok, absl::Duration now);
  // It has found nobody: after a pause another one tries whether the mapper is back. Of another
  // name, where there is one: it may be that a mapper says so of one device.
  void Away(absl::Duration now);
  // When Next may have something that it has not now; infinite: not by time alone.
  absl::Duration NextWake() const;

  // How many devices and models the mapper has otherwise than wanted.
  size_t behind() const { return models_.differing.size() + devices_.differing.size(); }
  bool under_way() const { return under_way_.has_value(); }
  // The last call has found nobody.
  bool away() const { return away_.pause > absl::ZeroDuration(); }

 private:
  // What the mapper has of a name. A call that failed may have had its effect, and to register what
  // is known changes nothing (KubeEdge's mappers): then it is registered, and updated.
  struct Known {
    enum class State { kUnsure, kThere, kHas };
    State state = State::kUnsure;
    std::string content;  // Of kHas.
  };
  struct Failure {
    absl::Duration pause;
    absl::Duration due;

    void Add(absl::Duration now);
  };
  // Of models, of devices.
  struct Side {
    Kind add, update, remove;
    std::map<std::string, std::string> wanted = {};
    std::map<std::string, Known> told = {};
    std::map<std::string, Failure> failures = {};
    std::set<std::string> differing = {};  // What is wanted from what was told.
    std::set<std::string> changed = {};    // What was told, since TakeTold.
  };

  static void Compare(Side& side, const std::string& name);
  static void Want(Side& side, const std::string& name, std::optional<std::string> content);
  static void SetTold(Side& side, const std::string& name, std::optional<Known> told);
  // What has failed comes after what has not.
  static const std::string* Due(const Side& side, bool removals, absl::Duration now);
  std::optional<Call> NextOf(Side& side, bool removals, absl::Duration now);
  Side& SideOf(Kind kind);
  Call EndCall();

  Side models_{Kind::kCreateModel, Kind::kUpdateModel, Kind::kRemoveModel};
  Side devices_{Kind::kRegisterDevice, Kind::kUpdateDevice, Kind::kRemoveDevice};
  bool present_ = false;
  bool whole_ = true;  // What is not among `told` the mapper does not have.
  Failure away_;
  std::optional<Call> under_way_;
  std::string content_;     // Of the call under way.
  bool unsure_ = false;     // Its name's state when it began.
  bool overtaken_ = false;  // The mapper has registered since.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_CORE_MAPPER_SYNC_H_
