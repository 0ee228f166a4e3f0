#include "services/cloudhub-svc/sessions/command_desk.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

namespace cloud = link::cloud;
using link::CommandProgress;
using link::CommandStage;

constexpr size_t kEntryBytes = 1024;  // About, without payload and response.
constexpr absl::Duration kSweepGrace = absl::Minutes(1);

absl::Status KeyReused() {
  return Error(absl::StatusCode::kInvalidArgument,
               "the key is that of a command with another type or payload: give each command a key "
               "of its own")
      .Reason("IDEMPOTENCY_KEY_REUSED");
}

absl::Status QueueFull(absl::string_view whose) {
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("too many commands wait ", whose, "; try again later"))
      .Reason("COMMAND_QUEUE_FULL");
}

absl::Status HasEnded() {
  return Error(absl::StatusCode::kFailedPrecondition, "the command has ended")
      .Reason("COMMAND_ENDED");
}

absl::Status Unknown(absl::string_view node, absl::string_view key) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("no command ", key, " of node ", node, " is known"))
      .Reason("COMMAND_UNKNOWN");
}

}  // namespace

CommandDesk::CommandDesk(const Config& config, CommandStore& store, Clock& clock,
                         CloudHubMetrics& metrics, log::Logger log, FeedNode feed,
                         IsConnected connected)
    : config_(config),
      store_(store),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      feed_(std::move(feed)),
      connected_(std::move(connected)) {}

// ---- from the senders ----

void CommandDesk::Send(CommandInfo info, std::shared_ptr<CommandWatcher> watcher) {
  const std::string node = info.command.node;
  const std::string key = info.command.key;
  absl::StatusOr<Entry*> entry = Accept(info);
  if (!entry.ok()) {
    metrics_.CommandRefused(GetErrorInfo(entry.status()).reason);
    return watcher->Close(entry.status());
  }
  if (*entry != nullptr) {
    Watch(**entry, std::move(watcher));
    return Queue(**entry);
  }
  // It has ended, and only the store knows it.
  absl::StatusOr<CommandInfo> ended = Find(node, key);
  if (ended.ok()) watcher->Tell(*ended);
  watcher->Close(ended.status());
}

absl::StatusOr<CommandDesk::Entry*> CommandDesk::Accept(CommandInfo& info) {
  const StoredCommand& command = info.command;
  if (Entry* entry = Lookup(command.node, command.key); entry != nullptr) {
    if (entry->info.delivery == Delivery::kQueue) return AcceptQueued(info);
    const StoredCommand& known = entry->info.command;
    if (known.type != command.type || known.payload != command.payload) return KeyReused();
    if (!EndedUnstarted(entry->tracker.progress())) return entry;
    // Another attempt: nothing of the first was executed.
    Forget(command.node, command.key);
  }
  if (info.delivery == Delivery::kQueue) return AcceptQueued(info);
  if (info.delivery == Delivery::kNow && !connected_(command.node)) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("node ", command.node, " is not connected to the cloud"))
        .Reason("NODE_NOT_CONNECTED");
  }
  SKERRY_RETURN_IF_ERROR(CheckRoom(info));
  metrics_.CommandAccepted();
  return &Add(std::move(info));
}

absl::Status CommandDesk::CheckRoom(const CommandInfo& info) const {
  const size_t bytes = info.command.payload.size();
  if (memory_bytes_ + bytes > config_.memory_bytes_max) return QueueFull("in this hub");
  auto node = nodes_.find(info.command.node);
  if (node == nodes_.end()) return absl::OkStatus();
  size_t count = 0;
  size_t waiting = 0;
  for (const auto& [key, entry] : node->second) {
    if (entry.info.delivery == Delivery::kQueue || IsFinal(entry.tracker.progress().stage))
      continue;
    ++count;
    waiting += entry.bytes;
  }
  if (count >= config_.waiting_max || waiting + bytes > config_.waiting_bytes_max)
    return QueueFull("for the node");
  return absl::OkStatus();
}

absl::StatusOr<CommandDesk::Entry*> CommandDesk::AcceptQueued(CommandInfo& info) {
  const StoredCommand& command = info.command;
  SKERRY_RETURN_IF_ERROR(Load(command.node));
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> known,
                          store_.Find(command.node, command.key));
  if (!known.has_value()) {
    if (memory_bytes_ + kEntryBytes > config_.memory_bytes_max) return QueueFull("in this hub");
    SKERRY_ASSIGN_OR_RETURN(bool inserted, store_.Insert(command));
    if (inserted) {
      metrics_.CommandAccepted();
      // The store may forget one before the memory does.
      if (Entry* former = Lookup(command.node, command.key); former != nullptr)
        EndedElsewhere(*former, link::CommandTracker::EndOf(true));
      if (Lookup(command.node, command.key) != nullptr) Forget(command.node, command.key);
      return &Add(std::move(info));
    }
    SKERRY_ASSIGN_OR_RETURN(known, store_.Find(command.node, command.key));
    if (!known.has_value()) return Unknown(command.node, command.key);
  }
  if (known->type != command.type || known->payload != command.payload) return KeyReused();
  return LookupUnended(command.node, command.key);
}

CommandDesk::Entry& CommandDesk::Add(CommandInfo info) {
  StoredCommand& command = info.command;
  const bool queued = info.delivery == Delivery::kQueue;
  const absl::Duration now = clock_.Monotonic();
  // The clocks meet here, once: a wall clock that steps later moves no expiry of this process.
  const link::CommandTracker::Terms terms{info.delivery == Delivery::kNow, command.reexecutable,
                                          now + (command.expire_time - clock_.Now()),
                                          command.deadline};
  CommandProgress progress = std::move(command.progress);
  command.progress = {};
  Entry entry{std::move(info), link::CommandTracker(terms, std::move(progress))};
  entry.sequence = ++last_sequence_;
  if (queued) entry.info.command.payload.clear();
  entry.bytes = kEntryBytes + entry.info.command.payload.size();
  memory_bytes_ += entry.bytes;
  const std::string node = entry.info.command.node;
  const std::string key = entry.info.command.key;
  Entry& added = nodes_[node].insert_or_assign(key, std::move(entry)).first->second;
  Rearm(added);
  metrics_.CommandsUnderWay(1);
  return added;
}

CommandDesk::Entry* CommandDesk::Lookup(const std::string& node, const std::string& key) {
  auto entries = nodes_.find(node);
  if (entries == nodes_.end()) return nullptr;
  auto it = entries->second.find(key);
  return it == entries->second.end() ? nullptr : &it->second;
}

absl::StatusOr<CommandDesk::Entry*> CommandDesk::LookupUnended(const std::string& node,
                                                               const std::string& key) {
  if (Entry* entry = Lookup(node, key); entry != nullptr) return entry;
  SKERRY_RETURN_IF_ERROR(Load(node));
  return Lookup(node, key);
}

absl::Status CommandDesk::Load(const std::string& node) {
  SKERRY_ASSIGN_OR_RETURN(std::vector<StoredCommand> stored, store_.Unended(node));
  bool added = false;
  for (StoredCommand& command : stored) {
    if (Lookup(node, command.key) != nullptr) continue;
    Add({Delivery::kQueue, std::move(command)});
    added = true;
  }
  if (added) QueueAll(node);
  return absl::OkStatus();
}

void CommandDesk::Watch(Entry& entry, std::shared_ptr<CommandWatcher> watcher) {
  if (!watcher->Tell(InfoOf(entry))) return;
  if (IsFinal(entry.tracker.progress().stage)) return watcher->Close(absl::OkStatus());
  std::erase_if(entry.watchers, [](const auto& other) { return !other->Listens(); });
  if (entry.watchers.size() >= config_.watchers_max) {
    return watcher->Close(Error(absl::StatusCode::kResourceExhausted,
                                "too many callers wait for this command; ask with GetCommand")
                              .Reason("TOO_MANY_WATCHERS"));
  }
  entry.watchers.push_back(std::move(watcher));
}

CommandInfo CommandDesk::InfoOf(const Entry& entry) {
  CommandInfo info = entry.info;
  info.command.payload.clear();
  info.command.progress = entry.tracker.progress();
  return info;
}

absl::StatusOr<CommandInfo> CommandDesk::Find(const std::string& node, const std::string& key) {
  if (const Entry* entry = Lookup(node, key); entry != nullptr) return InfoOf(*entry);
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store_.Find(node, key));
  if (!stored.has_value()) return Unknown(node, key);
  return CommandInfo{Delivery::kQueue, *std::move(stored)};
}

absl::StatusOr<std::vector<CommandInfo>> CommandDesk::List(const std::string& node,
                                                           const std::string& after,
                                                           size_t count_max) {
  SKERRY_ASSIGN_OR_RETURN(std::vector<StoredCommand> stored, store_.List(node, after, count_max));
  std::map<std::string, CommandInfo> found;
  for (StoredCommand& command : stored) {
    std::string key = command.key;
    found.emplace(std::move(key), CommandInfo{Delivery::kQueue, std::move(command)});
  }
  if (auto entries = nodes_.find(node); entries != nodes_.end()) {
    for (auto it = entries->second.upper_bound(after); it != entries->second.end(); ++it)
      found.insert_or_assign(it->first, InfoOf(it->second));
  }
  std::vector<CommandInfo> page;
  for (auto& [key, info] : found) {
    if (page.size() == count_max) break;
    info.command.progress.response.clear();
    page.push_back(std::move(info));
  }
  return page;
}

absl::StatusOr<CommandInfo> CommandDesk::Cancel(const std::string& node, const std::string& key) {
  SKERRY_ASSIGN_OR_RETURN(Entry * entry, LookupUnended(node, key));
  if (entry == nullptr) {
    SKERRY_ASSIGN_OR_RETURN(CommandInfo ended, Find(node, key));
    return HasEnded();
  }
  link::CommandTracker cancelled = entry->tracker;
  SKERRY_RETURN_IF_ERROR(cancelled.Cancel().status());
  // Not before that is durable: a hub that starts anew would send it.
  std::swap(entry->tracker, cancelled);
  if (absl::Status saved = Save(*entry); !saved.ok()) {
    std::swap(entry->tracker, cancelled);
    entry->unsaved = false;
    return saved;
  }
  CommandInfo info = InfoOf(*entry);
  Announce(*entry);
  if (info.command.progress.stage != CommandStage::kCancelled) return HasEnded();
  return info;
}

void CommandDesk::CloseWatchers(const absl::Status& status) {
  for (auto& [node, entries] : nodes_) {
    for (auto& [key, entry] : entries) {
      for (const auto& watcher : std::exchange(entry.watchers, {})) watcher->Close(status);
    }
  }
}

// ---- stages ----

void CommandDesk::Tell(Entry& entry, const link::CommandTracker::Update& update) {
  if (!update.has_value()) return;
  // What the box would say again need not be remembered.
  const bool matters =
      update->stage != CommandStage::kDelivered &&
      (update->stage != CommandStage::kStarted || entry.tracker.terms().reexecutable);
  if (matters && !Save(entry).ok()) return Rearm(entry);
  Announce(entry);
}

absl::Status CommandDesk::Save(Entry& entry) {
  if (entry.info.delivery != Delivery::kQueue) return absl::OkStatus();
  const StoredCommand& command = entry.info.command;
  absl::StatusOr<bool> updated =
      store_.Update(command.node, command.key, entry.tracker.progress(), clock_.Now());
  const absl::Status saved = !updated.ok() ? updated.status()
                             : *updated    ? absl::OkStatus()
                                           : AdoptEnd(entry);
  entry.unsaved = !saved.ok();
  if (saved.ok()) return saved;
  log_.Error("a queued command can't be stored", saved,
             {{"node", command.node}, {"key", command.key}});
  entry.retry_at = clock_.Monotonic() + config_.store_retry;
  return saved;
}

absl::Status CommandDesk::AdoptEnd(Entry& entry) {
  const StoredCommand& command = entry.info.command;
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored,
                          store_.Find(command.node, command.key));
  CommandProgress progress =
      stored.has_value() ? std::move(stored->progress) : link::CommandTracker::EndOf(true);
  if (!IsFinal(progress.stage)) return absl::AbortedError("the store did not take it");
  entry.tracker = link::CommandTracker(entry.tracker.terms(), std::move(progress));
  return absl::OkStatus();
}

void CommandDesk::Announce(Entry& entry) {
  const CommandInfo info = InfoOf(entry);
  std::erase_if(entry.watchers, [&](const auto& watcher) { return !watcher->Tell(info); });
  if (IsFinal(info.command.progress.stage)) return Ended(entry);
  Rearm(entry);
}

void CommandDesk::EndedElsewhere(Entry& entry, CommandProgress progress) {
  if (IsFinal(entry.tracker.progress().stage)) return;
  entry.tracker = link::CommandTracker(entry.tracker.terms(), std::move(progress));
  Announce(entry);
}

void CommandDesk::Ended(Entry& entry) {
  const CommandProgress& progress = entry.tracker.progress();
  metrics_.CommandEnded(progress.stage == CommandStage::kCancelled ? "CANCELLED"
                        : progress.status.ok()                     ? "ok"
                                               : GetErrorInfo(progress.status).reason);
  metrics_.CommandsUnderWay(-1);
  for (const auto& watcher : std::exchange(entry.watchers, {})) watcher->Close(absl::OkStatus());
  entry.forget_at = clock_.Monotonic() + config_.kept;
  entry.bytes += progress.response.size();
  memory_bytes_ += progress.response.size();
  while (memory_bytes_ > config_.memory_bytes_max / 2 && !ended_.empty()) {
    const auto [forget_at, forgotten_node, forgotten_key] = *ended_.begin();
    Forget(forgotten_node, forgotten_key);
  }
  const std::string node = entry.info.command.node;
  const std::string key = entry.info.command.key;
  ended_.insert({entry.forget_at, node, key});
  Rearm(entry);
  // Others may be due then, and end.
  feed_(node, cloud::DropCommand{key});
}

void CommandDesk::Forget(const std::string& node, const std::string& key) {
  auto entries = nodes_.find(node);
  auto it = entries->second.find(key);
  memory_bytes_ -= it->second.bytes;
  ended_.erase({it->second.forget_at, node, key});
  timers_.erase({it->second.timer, node, key});
  entries->second.erase(it);
  if (entries->second.empty()) nodes_.erase(entries);
}

// ---- time ----

void CommandDesk::Sweep() {
  // Those that are here end by this process's own timers, before that.
  absl::StatusOr<int64_t> ended = store_.Sweep(clock_.Now() - kSweepGrace, config_.retention);
  if (!ended.ok()) log_.Error("queued commands can't be swept", ended.status());
}

void CommandDesk::Rearm(Entry& entry) {
  const std::string& node = entry.info.command.node;
  const std::string& key = entry.info.command.key;
  timers_.erase({entry.timer, node, key});
  entry.timer = std::min({entry.tracker.NextWake(), entry.retry_at, entry.forget_at});
  if (entry.timer != absl::InfiniteDuration()) timers_.insert({entry.timer, node, key});
}

absl::Duration CommandDesk::NextWake() const {
  return timers_.empty() ? absl::InfiniteDuration() : std::get<0>(*timers_.begin());
}

void CommandDesk::Tick() {
  const absl::Duration now = clock_.Monotonic();
  while (NextWake() <= now) {
    const auto [due, node, key] = *timers_.begin();
    Entry& entry = *Lookup(node, key);
    if (entry.forget_at <= now) {
      Forget(node, key);
      continue;
    }
    if (entry.retry_at <= now) {
      entry.retry_at = absl::InfiniteDuration();
      if (entry.unsaved && Save(entry).ok()) Announce(entry);
      Entry* kept = Lookup(node, key);
      if (kept == nullptr) continue;
      Rearm(*kept);
      Queue(*kept);
      continue;
    }
    const link::CommandTracker::Update update = entry.tracker.Tick(now);
    if (!update.has_value()) Rearm(entry);
    Tell(entry, update);
  }
}

}  // namespace skerry::cloudhub
