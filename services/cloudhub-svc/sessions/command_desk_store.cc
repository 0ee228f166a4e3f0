// What the desk asks the store.
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {

using link::CommandProgress;

namespace {

constexpr absl::Duration kSweepGrace = absl::Minutes(1);

// Where a row that was there is gone, it has ended a while ago.
CommandProgress ProgressOf(std::optional<StoredCommand> stored) {
  if (!stored.has_value()) return link::CommandTracker::EndOf(true);
  return std::move(stored->progress);
}

}  // namespace

void CommandDesk::AfterStore(absl::AnyInvocable<void(const absl::Status&)> then) {
  Ask<bool>([](CommandStore&) { return true; },
            [then = std::move(then)](const auto& asked) mutable { then(asked.status()); });
}

// ---- on the store's thread ----

absl::StatusOr<CommandDesk::Acceptance> CommandDesk::Insert(CommandStore& store,
                                                            const StoredCommand& command,
                                                            const absl::Status& room) {
  Acceptance acceptance;
  SKERRY_ASSIGN_OR_RETURN(acceptance.known, store.Find(command.node, command.key));
  if (!acceptance.known.has_value()) {
    SKERRY_RETURN_IF_ERROR(room);
    SKERRY_ASSIGN_OR_RETURN(acceptance.inserted, store.Insert(command));
  }
  // Now, so that it comes behind all that were there before it.
  SKERRY_ASSIGN_OR_RETURN(acceptance.unended, store.Unended(command.node));
  const bool unended =
      std::any_of(acceptance.unended.begin(), acceptance.unended.end(),
                  [&](const StoredCommand& other) { return other.key == command.key; });
  // Another replica was faster: to queue it, or to end it.
  if (!unended || (!acceptance.inserted && !acceptance.known.has_value())) {
    SKERRY_ASSIGN_OR_RETURN(acceptance.known, store.Find(command.node, command.key));
  }
  return acceptance;
}

absl::StatusOr<CommandDesk::Instead> CommandDesk::Put(CommandStore& store, const Id& id,
                                                      const CommandProgress& progress,
                                                      uint64_t epoch) {
  SKERRY_ASSIGN_OR_RETURN(bool updated, store.Update(id.node, id.key, progress, epoch));
  if (updated) return Instead();
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store.Find(id.node, id.key));
  return Instead(ProgressOf(std::move(stored)));
}

absl::StatusOr<CommandDesk::Sending> CommandDesk::PutSending(CommandStore& store, const Id& id,
                                                             const CommandProgress& progress,
                                                             uint64_t epoch) {
  Sending sending;
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store.Find(id.node, id.key));
  if (stored.has_value()) sending.payload = std::move(stored->payload);
  SKERRY_ASSIGN_OR_RETURN(sending.instead, Put(store, id, progress, epoch));
  return sending;
}

absl::StatusOr<CommandDesk::Cancelled> CommandDesk::PutCancelled(CommandStore& store,
                                                                 const std::string& node,
                                                                 const std::string& key) {
  link::CommandTracker waits({}, {});
  SKERRY_RETURN_IF_ERROR(waits.Cancel().status());
  Cancelled cancelled;
  SKERRY_ASSIGN_OR_RETURN(cancelled.taken, store.Cancel(node, key, waits.progress()));
  SKERRY_ASSIGN_OR_RETURN(cancelled.command, store.Find(node, key));
  return cancelled;
}

absl::StatusOr<CommandDesk::NodeQueue> CommandDesk::ReadQueue(CommandStore& store,
                                                              const std::string& node,
                                                              const std::set<std::string>& keys) {
  NodeQueue queue;
  SKERRY_ASSIGN_OR_RETURN(queue.unended, store.Unended(node));
  std::set<std::string> ended = keys;
  for (const StoredCommand& command : queue.unended) ended.erase(command.key);
  for (const std::string& key : ended) {
    SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store.Find(node, key));
    StoredCommand command;
    command.key = key;
    command.progress = ProgressOf(std::move(stored));
    queue.ended.push_back(std::move(command));
  }
  return queue;
}

// ---- on the desk's thread ----

void CommandDesk::NodeConnected(const std::string& node) { Load(node); }

void CommandDesk::Reload(const std::string& node) {
  const auto inserting = inserting_.lower_bound({node, ""});
  if (session_(node) != 0 || nodes_.count(node) != 0 ||
      (inserting != inserting_.end() && inserting->first == node)) {
    Load(node);
  }
}

void CommandDesk::ReloadAll() {
  std::set<std::string> nodes;
  for (const auto& [node, key] : inserting_) nodes.insert(node);
  for (const auto& [node, entries] : nodes_) {
    if (!UnendedKeys(node).empty()) nodes.insert(node);
  }
  for (const std::string& node : nodes) Load(node);
}

void CommandDesk::Load(const std::string& node) {
  if (auto [loading, begins] = loading_.insert({node, false}); !begins) {
    loading->second = true;
    return;
  }
  // What is being queued counts, too.
  AfterStore([this, node](const absl::Status&) { Read(node); });
}

void CommandDesk::Read(const std::string& node) {
  Ask<NodeQueue>([node, keys = UnendedKeys(node)](
                     CommandStore& store) { return ReadQueue(store, node, keys); },
                 [this, node, epoch = session_(node)](auto queue) {
                   HaveRead(node, epoch, std::move(queue));
                 });
}

void CommandDesk::HaveRead(const std::string& node, uint64_t epoch,
                           absl::StatusOr<NodeQueue> queue) {
  const bool first = !IsRead(node);
  if (queue.ok()) {
    AddAll(node, std::move(queue->unended));
    for (StoredCommand& ended : queue->ended) {
      if (Entry* entry = LookupQueued(node, ended.key); entry != nullptr)
        Adopt(*entry, std::move(ended.progress));
    }
    // What was read in an earlier session may lack what another hub wrote then.
    if (epoch != 0 && epoch == session_(node)) read_[node] = epoch;
  } else {
    log_.Error("queued commands can't be read", queue.status(), {{"node", node}});
    if (rereading_.insert(node).second)
      timers_.insert({clock_.Monotonic() + config_.store_retry, node, ""});
  }
  if (loading_.extract(node).mapped()) Load(node);
  if (auto entries = nodes_.find(node); first && entries != nodes_.end()) {
    for (auto& [key, entry] : entries->second) Rearm(entry);
    QueueAll(node);
  }
}

bool CommandDesk::IsRead(const std::string& node) const {
  const auto read = read_.find(node);
  return read != read_.end() && read->second == session_(node);
}

std::set<std::string> CommandDesk::UnendedKeys(const std::string& node) const {
  std::set<std::string> keys;
  const auto entries = nodes_.find(node);
  if (entries == nodes_.end()) return keys;
  for (const auto& [key, entry] : entries->second) {
    if (entry.info.delivery == Delivery::kQueue && !IsFinal(entry.told.stage)) keys.insert(key);
  }
  return keys;
}

void CommandDesk::Save(Entry& entry) {
  const Id id = IdOf(entry);
  // Responses are large: both have one.
  const auto progress = std::make_shared<const CommandProgress>(entry.tracker.progress());
  Ask<Instead>([id, progress, epoch = entry.epoch](
                   CommandStore& store) { return Put(store, id, *progress, epoch); },
               [this, id, progress](auto instead) {
                 Entry* kept = Lookup(id);
                 if (kept == nullptr) return;
                 kept->unsaved = !instead.ok();
                 if (!instead.ok()) {
                   log_.Error("a queued command can't be stored", instead.status(),
                              {{"node", id.node}, {"key", id.key}});
                   kept->retry_at = clock_.Monotonic() + config_.store_retry;
                   return Rearm(*kept);
                 }
                 if (instead->has_value()) return Adopt(*kept, **std::move(instead));
                 Announce(*kept, *progress);
               });
}

void CommandDesk::SendQueued(Entry& entry) {
  const Id id = IdOf(entry);
  // That it may be at the box is durable before it is.
  entry.tracker.Sending();
  entry.epoch = session_(id.node);
  const CommandProgress progress = entry.tracker.progress();
  Ask<Sending>([id, progress, epoch = entry.epoch](
                   CommandStore& store) { return PutSending(store, id, progress, epoch); },
               [this, id, progress](auto sending) {
                 Entry* kept = Lookup(id);
                 if (kept == nullptr) return;
                 kept->sending = false;
                 if (!sending.ok()) {
                   log_.Error("a queued command can't be read, or marked as sent", sending.status(),
                              {{"node", id.node}, {"key", id.key}});
                   return Retry(*kept);
                 }
                 kept->unsaved = false;
                 if (sending->instead.has_value()) {
                   // It goes on from there.
                   if (!IsFinal(sending->instead->stage)) Retry(*kept);
                   return Adopt(*kept, *std::move(sending->instead));
                 }
                 if (progress.stage != kept->told.stage) Announce(*kept, progress);
                 // Another session begins by reading that it was sent.
                 if (Leads(id.node)) SendOut(*kept, std::move(sending->payload));
               });
}

void CommandDesk::Sweep() {
  if (std::exchange(sweeping_, true)) return;
  std::erase_if(read_, [this](const auto& read) { return read.second != session_(read.first); });
  // Those of a lone hub end by its own timers, before that.
  Ask<int64_t>(
      [grace = config_.shared ? absl::ZeroDuration() : kSweepGrace, retention = config_.retention](
          CommandStore& store) { return store.Sweep(grace, retention); },
      [this](auto ended) {
        sweeping_ = false;
        if (!ended.ok()) log_.Error("queued commands can't be swept", ended.status());
      });
}

}  // namespace skerry::cloudhub
