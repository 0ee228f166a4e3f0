// How commands go on, and what the time does to them.
#include <algorithm>
#include <string>
#include <utility>

#include "services/cloudhub-svc/sessions/command_desk.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;
using link::CommandProgress;
using link::CommandStage;

namespace {

size_t EndBytes(const absl::Status& status, const std::string& response) {
  return status.message().size() + response.size();
}
size_t EndBytes(const CommandProgress& progress) {
  return EndBytes(progress.status, progress.response);
}

}  // namespace

void CommandDesk::Tell(Entry& entry, const link::CommandTracker::Update& update) {
  if (!update.has_value()) return;
  // What the box would say again need not be remembered.
  const bool matters =
      update->stage != CommandStage::kDelivered &&
      (update->stage != CommandStage::kStarted || entry.tracker.terms().reexecutable);
  if (!matters || entry.info.delivery != Delivery::kQueue) return Announce(entry, *update);
  entry.epoch = session_(entry.info.command.node);
  Recount(entry);
  ForgetEarly();
  Rearm(entry);
  Save(entry);
}

void CommandDesk::Adopt(Entry& entry, CommandProgress progress) {
  if (IsFinal(entry.told.stage)) return;
  entry.unsaved = false;
  progress.started |= entry.tracker.progress().started;
  progress.at_box |= progress.started;
  entry.tracker = link::CommandTracker(entry.tracker.terms(), progress);
  Recount(entry);
  if (progress.stage == entry.told.stage && progress.status == entry.told.status)
    return Rearm(entry);
  Announce(entry, progress);
}

void CommandDesk::Announce(Entry& entry, const CommandProgress& progress) {
  if (IsFinal(entry.told.stage)) return;
  entry.told = progress;
  const CommandInfo info = InfoOf(entry);
  std::erase_if(entry.watchers, [&](const auto& watcher) { return !watcher->Tell(info); });
  if (IsFinal(progress.stage)) return Ended(entry);
  Recount(entry);
  Rearm(entry);
}

void CommandDesk::Ended(Entry& entry) {
  // One copy is enough.
  CommandProgress bare = entry.told;
  bare.status = absl::OkStatus();
  bare.response.clear();
  entry.tracker = link::CommandTracker(entry.tracker.terms(), std::move(bare));
  const CommandProgress& progress = entry.told;
  metrics_.CommandEnded(progress.stage == CommandStage::kCancelled ? "CANCELLED"
                        : progress.status.ok()                     ? "ok"
                                               : GetErrorInfo(progress.status).reason);
  metrics_.CommandsUnderWay(-1);
  for (const auto& watcher : std::exchange(entry.watchers, {})) watcher->Close(absl::OkStatus());
  entry.retry_at = absl::InfiniteDuration();
  entry.forget_at = clock_.Monotonic() + config_.kept;
  Recount(entry);
  ForgetEarly();
  const std::string node = entry.info.command.node;
  const std::string key = entry.info.command.key;
  ended_.insert({entry.forget_at, node, key});
  Rearm(entry);
  // Others may be due then, and end.
  feed_(node, cloud::DropCommand{key});
}

void CommandDesk::Recount(Entry& entry) {
  memory_bytes_ -= entry.bytes;
  end_bytes_ -= entry.end_bytes;
  const CommandProgress& progress = entry.tracker.progress();
  entry.end_bytes = IsFinal(progress.stage) ? 2 * EndBytes(progress) : 0;
  entry.bytes =
      kEntryBytes + entry.info.command.payload.size() + EndBytes(entry.told) + entry.end_bytes;
  memory_bytes_ += entry.bytes;
  end_bytes_ += entry.end_bytes;
}

void CommandDesk::ForgetEarly() {
  while (memory_bytes_ > config_.memory_bytes_max / 2 && !ended_.empty()) {
    const auto [forget_at, node, key] = *ended_.begin();
    Forget(node, key);
  }
}

bool CommandDesk::HasRoomFor(const link::CommandReceipt& end) const {
  // One always has, so that they end one after the other.
  return end_bytes_ == 0 ||
         memory_bytes_ + 2 * EndBytes(end.status, end.response) <= config_.memory_bytes_max;
}

void CommandDesk::Forget(const std::string& node, const std::string& key) {
  auto entries = nodes_.find(node);
  auto it = entries->second.find(key);
  memory_bytes_ -= it->second.bytes;
  end_bytes_ -= it->second.end_bytes;
  ended_.erase({it->second.forget_at, node, key});
  timers_.erase({it->second.timer, node, key});
  entries->second.erase(it);
  if (entries->second.empty()) nodes_.erase(entries);
}

// ---- time ----

void CommandDesk::Rearm(Entry& entry) {
  const std::string& node = entry.info.command.node;
  const std::string& key = entry.info.command.key;
  timers_.erase({entry.timer, node, key});
  entry.timer = std::min(entry.retry_at, entry.forget_at);
  // Else the store's Sweep ends it.
  if (entry.info.delivery != Delivery::kQueue || Leads(node))
    entry.timer = std::min(entry.timer, entry.tracker.NextWake());
  if (entry.timer != absl::InfiniteDuration()) timers_.insert({entry.timer, node, key});
}

absl::Duration CommandDesk::NextWake() const {
  return timers_.empty() ? absl::InfiniteDuration() : std::get<0>(*timers_.begin());
}

void CommandDesk::Tick() {
  const absl::Duration now = clock_.Monotonic();
  while (NextWake() <= now) {
    const auto [due, node, key] = *timers_.begin();
    if (key.empty()) {
      timers_.erase(timers_.begin());
      rereading_.erase(node);
      Reload(node);
      continue;
    }
    Entry& entry = *Lookup(node, key);
    if (entry.forget_at <= now) {
      Forget(node, key);
      continue;
    }
    if (entry.retry_at <= now) {
      entry.retry_at = absl::InfiniteDuration();
      if (entry.unsaved) Save(entry);
      Rearm(entry);
      Queue(entry);
      continue;
    }
    // Its hub may have lost the session meanwhile.
    Rearm(entry);
    if (entry.timer <= now) Tell(entry, entry.tracker.Tick(now));
  }
}

}  // namespace skerry::cloudhub
