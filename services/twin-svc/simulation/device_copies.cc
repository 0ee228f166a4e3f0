#include "services/twin-svc/simulation/device_copies.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "services/twin-svc/simulation/device_cloud.h"

namespace skerry::twin {
namespace {

uint64_t NumberOf(const std::string& text) {
  uint64_t number = 0;
  return absl::SimpleAtoi(text, &number) ? number : 0;
}

}  // namespace

void DeviceCopies::Attach() {
  spoke_ = last_spoke_ += 2;
  inbox_.clear();
  subscription_ = 0;
  simulation_->ToEdgeHub(link::edge::SpokeAttached{spoke_, {kDeviceType}, {}});
}

void DeviceCopies::Crash() {
  simulation_->Saw("edge-meta crash");
  inbox_.clear();
  subscription_ = 0;
  staged_deletes_.clear();
  if (spoke_ != 0) simulation_->ToEdgeHub(link::edge::SpokeDetached{std::exchange(spoke_, 0)});
  // Its watcher goes on where it was, by the log of changes, or begins anew where that is too old.
  if (watched_ && Random(2) == 0) Watch(true);
}

void DeviceCopies::Receive(link::SpokeId spoke, link::edge::SpokeMessage message) {
  if (spoke == spoke_) inbox_.push_back(std::move(message));
}

void DeviceCopies::Work() {
  if (inbox_.empty() || spoke_ == 0) return;
  const link::edge::SpokeMessage message = std::move(inbox_.front());
  inbox_.pop_front();
  if (const auto* request = std::get_if<link::edge::SubscribeRequest>(&message)) {
    subscription_ = request->subscription_id;
    stored_up_to_ = 0;
    synced_ = false;
    staged_deletes_.clear();
    link::Subscribe answer{kDeviceType, subscription_, {}, false};
    for (const auto& [key, object] : objects_)
      answer.holdings.push_back({key, absl::StrCat(object.version)});
    simulation_->ToEdgeHub(link::edge::SpokeSubscribe{spoke_, std::move(answer)});
  } else if (const auto* change = std::get_if<link::ResourceChange>(&message)) {
    Apply(*change);
  }
}

void DeviceCopies::Apply(const link::ResourceChange& frame) {
  if (frame.subscription_id != subscription_) return;
  if (frame.sequence != stored_up_to_ + 1) simulation_->Fail("edge-meta sees a gap");
  stored_up_to_ = frame.sequence;
  const link::Change& change = frame.change;
  if (change.kind == link::Change::Kind::kUpsert) {
    const Object object{NumberOf(change.version), change.object};
    if (std::exchange(newest_[change.key], object.version) > object.version)
      simulation_->Fail("a Device goes back to an older version");
    objects_[change.key] = object;
    staged_deletes_.erase(change.key);
    Tell({Event::Kind::kObject, change.key, object});
  } else if (change.kind == link::Change::Kind::kDelete && !synced_) {
    staged_deletes_.insert(change.key);
  } else if (change.kind == link::Change::Kind::kDelete) {
    Delete(change.key);
  } else {
    synced_ = true;
    for (const std::string& key : std::exchange(staged_deletes_, {})) Delete(key);
  }
  if (Random(3) != 0 && !inbox_.empty() &&
      std::holds_alternative<link::ResourceChange>(inbox_.front()))
    return;
  simulation_->ToEdgeHub(
      link::edge::ResourceDone{spoke_, {kDeviceType, subscription_, stored_up_to_, {}}});
}

void DeviceCopies::Delete(const std::string& key) {
  if (objects_.erase(key) != 0) Tell({Event::Kind::kDeleted, key, {}});
}

void DeviceCopies::Tell(Event event) {
  if (watched_) watch_.push_back(std::move(event));
}

void DeviceCopies::Watch(bool known) {
  watched_ = true;
  watch_.clear();
  if (!known) told_.clear();
  for (const auto& [key, object] : objects_) Tell({Event::Kind::kObject, key, object});
  for (const std::string& key : told_) {
    if (objects_.count(key) == 0) Tell({Event::Kind::kDeleted, key, {}});
  }
  Tell({Event::Kind::kSynced, "", {}});
}

void DeviceCopies::EndWatch() {
  watched_ = false;
  watch_.clear();
}

bool DeviceCopies::TakeEvent(Event& event) {
  if (watch_.empty()) return false;
  event = std::move(watch_.front());
  watch_.pop_front();
  if (event.kind == Event::Kind::kObject) told_.insert(event.key);
  if (event.kind == Event::Kind::kDeleted) told_.erase(event.key);
  return true;
}

}  // namespace skerry::twin
