#include "services/twin-svc/simulation/twin_process.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "services/lib/base/error.h"
#include "services/lib/log/logger.h"

namespace skerry::twin {
namespace {

// "c" is of few manifests: as a rule it is the box's own, as MQTT clients make it.
constexpr const char* kProperties[] = {"a", "b", "c"};

DeviceName NameOf(const std::string& key) { return *DeviceName::Parse(key); }

uint64_t NumberOf(const Value& value) {
  uint64_t number = 0;
  return absl::SimpleAtoi(value.value, &number) ? number : 0;
}

}  // namespace

void TwinProcess::Enter(link::testing::Simulation& simulation) {
  simulation_ = &simulation;
  Start();
}

void TwinProcess::Start() {
  absl::StatusOr<std::unique_ptr<TwinDesk>> desk =
      TwinDesk::Create(store_, {}, clock_, metrics_, [this](const std::vector<TwinEvent>& events) {
        absl::MutexLock lock(&mutex_);
        for (const TwinEvent& event : events) published_.insert(event.device.value());
      });
  desk_ = *std::move(desk);
  follower_ =
      std::make_unique<DeviceFollower>(*desk_, clock_, metrics_, log::Logger::Null(), [](bool) {});
  told_.clear();
  CheckTwins();
  for (const auto& [key, rule] : rules_) changed_.insert(key);
}

void TwinProcess::Crash(bool committed) {
  simulation_->Saw("twin-svc crash");
  if (full_ || !committed) {
    store_.Fail(absl::UnavailableError("it ends here"));
    store_.SetOpen(true);
  } else {
    store_.SetOpen(true);
    AwaitDesk();
  }
  follower_.reset();
  desk_.reset();
  store_.Fail(absl::OkStatus());
  slow_ = false;
  const bool stored = !std::exchange(full_, false) && committed;
  std::deque<Unheard> unheard;
  for (const Pending& pending : std::exchange(pending_, {})) {
    if (stored) {
      Committed(pending, /*heard=*/false);
      simulation_->Saw("committed, and nobody heard");
    }
    if (pending.write.has_value() && pending.write->id != 0 && !pending.again)
      unheard.push_back({pending.key, *pending.write, pending.stamps});
  }
  unheard_.insert(unheard_.begin(), unheard.begin(), unheard.end());
  changed_.clear();
}

// ---- what goes in ----

// Of two declarations of a device that wait, the desk takes the newer one; whether the older one
// still waits is a matter of its thread. So none comes while another waits for the disk.
void TwinProcess::AwaitDeclared(const std::string& key) {
  const bool waits = std::any_of(pending_.begin(), pending_.end(), [&](const Pending& pending) {
    return pending.key == key && !pending.write.has_value();
  });
  if (!waits) return;
  if (full_) SetDiskFull(false);
  if (slow_) SetDiskSlow(false);
}

void TwinProcess::Take(const DeviceCopies::Event& event) {
  using Kind = DeviceCopies::Event::Kind;
  if (event.kind != Kind::kSynced) AwaitDeclared(event.key);
  if (event.kind == Kind::kObject) {
    told_.insert(event.key);
    follower_->OnObject(kDevices, event.key, event.object.json);
    const DeviceCloud::Device& device = cloud_.At(event.object.version);
    if (device.readable) {
      pending_.push_back({event.key, device.ToDeclaration()});
    } else {
      simulation_->Saw("manifest with a mistake");
    }
  } else if (event.kind == Kind::kDeleted) {
    told_.erase(event.key);
    follower_->OnObjectDeleted(kDevices, event.key);
    pending_.push_back({event.key});
  } else {
    std::vector<std::string> untold;
    for (const auto& [key, rule] : rules_) {
      if (told_.count(key) == 0) untold.push_back(key);
    }
    for (const std::string& key : untold) AwaitDeclared(key);
    follower_->OnSynced();
    for (const auto& [key, rule] : rules_) {
      if (told_.count(key) != 0) continue;
      simulation_->Saw("removed at synced");
      pending_.push_back({key});
    }
  }
  Settle();
}

void TwinProcess::UserActs() {
  // More than Twin::kWriteIdsMax that nobody has answered could not be known again.
  if (!running() || pending_.size() >= 8) return;
  // Who was not answered sends that again before anything else.
  if (!unheard_.empty()) {
    Unheard again = std::move(unheard_.front());
    unheard_.pop_front();
    return Submit(again.key, std::move(again.write), std::move(again.stamps));
  }
  if (rules_.empty()) return;
  auto it = rules_.begin();
  std::advance(it, Random(rules_.size()));
  const auto& [key, rule] = *it;
  // Not where the device may be made anew before that: it would be another one's write.
  const bool same = std::all_of(pending_.begin(), pending_.end(),
                                [](const Pending& pending) { return pending.write.has_value(); });
  if (Random(4) == 0 && same && !rule.known().empty())
    return Submit(key, Write(rule.known()[Random(rule.known().size())]), {}, /*again=*/true);
  std::map<std::string, uint64_t> stamps;
  Write write = RandomWrite(key, stamps);
  Submit(key, std::move(write), std::move(stamps));
}

Write TwinProcess::RandomWrite(const std::string& key, std::map<std::string, uint64_t>& stamps) {
  const TwinRule& rule = rules_.at(key);
  const std::string name = kProperties[Random(std::size(kProperties))];
  Write write;
  if (Random(8) != 0) write.id = ++last_id_;
  const uint64_t dice = Random(100);
  if (dice < 35) {
    write.reported[name] = NextValue("mapper");
    if (dice < 10) write.reported["b"] = NextValue("mapper");
    return write;
  }
  if (dice < 45) {
    write.desired[name] = std::nullopt;
  } else if (dice < 55) {
    // What holds already, as somebody else wrote it.
    write.desired[name] = rule.Desired(name);
    if (write.desired[name].has_value()) write.desired[name]->writer = "phone";
  } else {
    write.desired[name] = NextValue("phone");
    if (dice < 65) write.desired["a"] = NextValue("phone");
  }
  // By somebody who has read it.
  const TwinPtr twin = TwinOf(key);
  const auto property = twin->properties.find(name);
  if (dice >= 80 && property != twin->properties.end()) {
    write.expected_versions[name] = property->second.desired_version;
    stamps[name] = rule.StampOf(name);
  }
  return write;
}

// Each is greater than those before; its time is anything.
Value TwinProcess::NextValue(const char* writer) {
  return {.value = absl::StrCat(++last_value_),
          .metadata = {{"unit", "bar"}},
          .writer = writer,
          .time = absl::FromUnixSeconds(static_cast<int64_t>(Random(4'000'000'000)))};
}

void TwinProcess::Submit(const std::string& key, Write write,
                         std::map<std::string, uint64_t> stamps, bool again) {
  Pending pending{.key = key, .write = write, .stamps = std::move(stamps), .again = again};
  pending.answer = std::make_shared<std::optional<absl::Status>>();
  pending_.push_back(pending);
  desk_->Submit(
      NameOf(key), std::move(write), false,
      [answer = pending.answer](const absl::StatusOr<Written>& w) { *answer = w.status(); });
  Settle();
}

// ---- what becomes of it ----

void TwinProcess::AwaitDesk() {
  absl::Notification done;
  desk_->Submit(NameOf("nobody/nothing"), {}, false,
                [&done](const absl::StatusOr<Written>&) { done.Notify(); });
  done.WaitForNotification();
}

void TwinProcess::Settle() {
  if (slow_) return;
  AwaitDesk();
  for (const Pending& pending : std::exchange(pending_, {})) {
    if (!full_) {
      Committed(pending, /*heard=*/true);
    } else if (!pending.write.has_value()) {
      pending_.push_back(pending);  // The desk tries that again.
    } else if (pending.answer->has_value() && (*pending.answer)->ok()) {
      Committed(pending, /*heard=*/true);  // It had nothing to store: the twin is checked below.
    } else {
      simulation_->Saw("write refused, the disk is full");
    }
  }
  {
    absl::MutexLock lock(&mutex_);
    changed_.merge(published_);
    published_.clear();
  }
  CheckTwins();
}

void TwinProcess::Committed(const Pending& pending, bool heard) {
  const auto it = rules_.find(pending.key);
  if (pending.declaration.has_value()) {
    if (it != rules_.end() && it->second.uid() != pending.declaration->uid)
      simulation_->Saw("device made anew");
    rules_.emplace(pending.key, TwinRule(last_stamp_)).first->second.Declare(*pending.declaration);
    return;
  }
  if (!pending.write.has_value()) {
    rules_.erase(pending.key);
    return;
  }
  if (heard && !pending.answer->has_value()) return Fail(pending.key, "a write is not answered");
  const absl::Status answer = heard ? **pending.answer : absl::OkStatus();
  if (it == rules_.end()) {
    if (heard && !absl::IsNotFound(answer)) Fail(pending.key, "a write to no device");
    return;
  }
  const TwinRule::Outcome outcome = it->second.Apply(*pending.write, pending.stamps);
  if (outcome == TwinRule::Outcome::kRedelivery) simulation_->Saw("redelivery");
  if (outcome == TwinRule::Outcome::kRefused) simulation_->Saw("write refused, it came too late");
  if (!heard) return;
  const bool refused = outcome == TwinRule::Outcome::kRefused;
  if (refused ? GetErrorInfo(answer).reason != "DESIRED_CHANGED" : !answer.ok())
    Fail(pending.key, absl::StrCat("a write is answered ", answer.ToString()));
}

void TwinProcess::ClockJumps() {
  simulation_->Saw("clock jump");
  clock_.SetNow(absl::FromUnixSeconds(static_cast<int64_t>(Random(4'000'000'000))));
}

void TwinProcess::SetDiskSlow(bool slow) {
  if (!running() || full_) return;
  slow_ = slow;
  store_.SetOpen(!slow);
  if (slow) simulation_->Saw("slow disk");
  Settle();
}

void TwinProcess::SetDiskFull(bool full) {
  if (!running()) return;
  if (slow_) SetDiskSlow(false);
  full_ = full;
  store_.Fail(full ? absl::ResourceExhaustedError("the disk is full") : absl::OkStatus());
  if (full) simulation_->Saw("full disk");
  Settle();
}

// ---- what must hold ----

TwinPtr TwinProcess::TwinOf(const std::string& key) const {
  if (!running()) return nullptr;
  absl::StatusOr<TwinPtr> twin = desk_->Get(NameOf(key));
  return twin.ok() ? *std::move(twin) : nullptr;
}

void TwinProcess::CheckTwins() {
  for (const auto& [device, twin] : desk_->List("", std::nullopt, 100)) {
    const std::string& key = device.value();
    const auto it = rules_.find(key);
    if (it == rules_.end()) {
      Fail(key, "it should not be there");
      continue;
    }
    if (const std::string what = it->second.Differs(*twin); !what.empty()) Fail(key, what);
    CheckNotOlder(key, *twin);
  }
  for (const auto& [key, rule] : rules_) {
    if (TwinOf(key) == nullptr) Fail(key, "it is not there");
  }
}

// D1, on the box: whatever was made anew, taken away and bound again, or started in between.
void TwinProcess::CheckNotOlder(const std::string& key, const Twin& twin) {
  const Twin former = std::exchange(newest_[key], twin);
  if (twin.version < former.version) Fail(key, "its version goes back");
  if (twin.uid == former.uid && twin.generation < former.generation)
    Fail(key, "its generation goes back");
  for (const auto& [name, property] : twin.properties) {
    const auto it = former.properties.find(name);
    if (it == former.properties.end()) continue;
    if (property.reported.has_value() && it->second.reported.has_value() &&
        NumberOf(*property.reported) < NumberOf(*it->second.reported))
      Fail(key, absl::StrCat(name, ": the reported value goes back"));
    const bool changed = property.desired().has_value() &&
                         (!it->second.desired().has_value() ||
                          property.desired()->value != it->second.desired()->value);
    if (changed && property.desired_version <= it->second.desired_version)
      Fail(key, absl::StrCat(name, ": another desired value has no later version"));
  }
}

void TwinProcess::CheckFinal() {
  for (const auto& [key, device] : cloud_.devices()) {
    if (device.bound != (TwinOf(key) != nullptr))
      Fail(key, device.bound ? "it is bound and not there" : "it is there and not bound");
    if (device.bound && TwinOf(key) != nullptr) CheckPromise(key, device);
  }
  for (const auto& [key, rule] : rules_) {
    if (cloud_.devices().count(key) == 0) Fail(key, "it was deleted and is there");
  }
}

// From manifests to twin, whatever of them the box has seen: what people wrote last holds where the
// declared value has been the same ever since, and does not where it has become another one.
void TwinProcess::CheckPromise(const std::string& key, const DeviceCloud::Device& device) {
  const TwinPtr twin = TwinOf(key);
  if (twin->uid != device.uid || twin->generation != device.generation)
    Fail(key, "it is not the device that the cloud has");
  for (const auto& [name, words] : rules_.at(key).words()) {
    const auto property = twin->properties.find(name);
    const auto local = std::find_if(words.rbegin(), words.rend(),
                                    [](const TwinRule::Word& word) { return !word.cloud; });
    const auto now = device.desired.find(name);
    if (now == device.desired.end() || property == twin->properties.end()) continue;
    const std::optional<Value>& desired = property->second.desired();
    const bool clouds = desired.has_value() == now->second.has_value() &&
                        (!desired.has_value() || desired->value == *now->second);
    if (local == words.rend() || !local->value.has_value()) {
      if (!clouds) Fail(key, absl::StrCat(name, ": nobody wrote, and it is not the cloud's"));
      continue;
    }
    const std::map<int64_t, DeviceCloud::Device>& generations = cloud_.GenerationsOf(device.uid);
    const auto then = generations.find(local->generation);
    bool same = true;
    bool there = true;
    for (auto it = then; it != generations.end(); ++it) {
      const auto other = it->second.desired.find(name);
      there &= other != it->second.desired.end();
      same &= there && other->second == now->second;
    }
    if (!there) continue;
    const bool locals = desired.has_value() && desired->value == local->value->value;
    if (same && !locals) Fail(key, absl::StrCat(name, ": what people wrote does not hold"));
    if (then->second.desired.at(name) != now->second && !clouds)
      Fail(key, absl::StrCat(name, ": the cloud has changed it since people wrote"));
    if (same && locals && !clouds) simulation_->Saw("box's value holds");
    if (!same && clouds && property->second.conflict.has_value())
      simulation_->Saw("conflict to be seen");
  }
}

void TwinProcess::Fail(const std::string& key, const std::string& what) {
  simulation_->Fail(absl::StrCat("twin of ", key, ": ", what));
}

}  // namespace skerry::twin
