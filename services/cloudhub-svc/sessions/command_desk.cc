#include "services/cloudhub-svc/sessions/command_desk.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {
namespace {

using link::CommandProgress;
using link::CommandStage;

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

absl::Status StoreBusy() {
  return Error(absl::StatusCode::kResourceExhausted,
               "as many commands as may be wait for the hub's store; try again later")
      .Reason("COMMAND_STORE_BUSY");
}

absl::Status Unknown(absl::string_view node, absl::string_view key) {
  return Error(absl::StatusCode::kNotFound,
               absl::StrCat("no command ", key, " of node ", node, " is known"))
      .Reason("COMMAND_UNKNOWN");
}

}  // namespace

CommandDesk::CommandDesk(const Config& config, CommandStore& store, Clock& clock,
                         CloudHubMetrics& metrics, log::Logger log, FeedNode feed,
                         SessionEpoch session, OnStore on_store)
    : config_(config),
      store_(store),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      feed_(std::move(feed)),
      session_(std::move(session)),
      on_store_(std::move(on_store)) {}

void CommandDesk::Send(CommandInfo info, std::shared_ptr<CommandWatcher> watcher) {
  const StoredCommand& command = info.command;
  Entry* known = Lookup(command.node, command.key);
  if (known != nullptr && known->info.delivery != Delivery::kQueue) {
    if (known->info.command.type != command.type || known->info.command.payload != command.payload)
      return Refuse(*watcher, KeyReused());
    if (!EndedUnstarted(known->told)) {
      Watch(*known, std::move(watcher));
      return Queue(*known);
    }
    // Another attempt: nothing of the first was executed.
    Forget(command.node, command.key);
    known = nullptr;
  }
  if (known != nullptr || info.delivery == Delivery::kQueue)
    return AcceptQueued(std::move(info), std::move(watcher));
  if (inserting_.count({command.node, command.key}) != 0) {
    // That decides what the key is.
    if (asking_.size() >= config_.store_calls_max) return Refuse(*watcher, StoreBusy());
    asking_.insert(watcher);
    return AfterStore([this, info = std::move(info), watcher](const absl::Status& asked) mutable {
      if (asking_.erase(watcher) == 0) return;
      if (!asked.ok()) return Refuse(*watcher, asked);
      Send(std::move(info), std::move(watcher));
    });
  }
  if (absl::Status status = CheckAccept(info); !status.ok()) return Refuse(*watcher, status);
  metrics_.CommandAccepted();
  Entry& added = Add(std::move(info));
  Watch(added, std::move(watcher));
  Queue(added);
}

void CommandDesk::Refuse(CommandWatcher& watcher, const absl::Status& status) {
  metrics_.CommandRefused(GetErrorInfo(status).reason);
  watcher.Close(status);
}

absl::Status CommandDesk::CheckAccept(const CommandInfo& info) const {
  const StoredCommand& command = info.command;
  if (info.delivery == Delivery::kNow && session_(command.node) == 0) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("node ", command.node, " is not connected to the cloud"))
        .Reason("NODE_NOT_CONNECTED");
  }
  return CheckRoom(info);
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

void CommandDesk::AcceptQueued(CommandInfo info, std::shared_ptr<CommandWatcher> watcher) {
  if (asking_.size() >= config_.store_calls_max) return Refuse(*watcher, StoreBusy());
  const std::pair<std::string, std::string> id{info.command.node, info.command.key};
  const size_t bytes = kEntryBytes + info.command.payload.size();
  const absl::Status room = memory_bytes_ + bytes > config_.memory_bytes_max
                                ? QueueFull("in this hub")
                                : absl::OkStatus();
  asking_.insert(watcher);
  inserting_.insert(id);
  memory_bytes_ += bytes;
  auto asked = std::make_shared<CommandInfo>(std::move(info));
  Ask<Acceptance>(
      [asked, room](CommandStore& store) { return Insert(store, asked->command, room); },
      [this, asked, watcher = std::move(watcher), id, bytes](auto acceptance) {
        const bool listens = asking_.erase(watcher) != 0;
        inserting_.erase(inserting_.find(id));
        memory_bytes_ -= bytes;
        absl::StatusOr<Entry*> entry =
            acceptance.ok() ? Accepted(*asked, *acceptance) : acceptance.status();
        if (!entry.ok()) {
          if (listens) Refuse(*watcher, entry.status());
        } else if (*entry != nullptr) {
          if (listens) Watch(**entry, watcher);
          Queue(**entry);
        } else if (listens) {
          watcher->Tell({Delivery::kQueue, *std::move(acceptance->known)});
          watcher->Close(absl::OkStatus());
        }
      });
}

absl::StatusOr<CommandDesk::Entry*> CommandDesk::Accepted(CommandInfo& info,
                                                          Acceptance& acceptance) {
  const StoredCommand& command = info.command;
  if (acceptance.inserted) {
    metrics_.CommandAccepted();
    // The store may forget one before the memory does.
    if (Entry* former = Lookup(command.node, command.key); former != nullptr)
      Adopt(*former, link::CommandTracker::EndOf(true));
    if (Lookup(command.node, command.key) != nullptr) Forget(command.node, command.key);
  } else if (acceptance.known.has_value() && (acceptance.known->type != command.type ||
                                              acceptance.known->payload != command.payload)) {
    return KeyReused();
  }
  AddAll(command.node, std::move(acceptance.unended));
  if (Entry* entry = Lookup(command.node, command.key); entry != nullptr) return entry;
  if (!acceptance.known.has_value() || !IsFinal(acceptance.known->progress.stage))
    return absl::AbortedError("the command has just gone");
  acceptance.known->payload.clear();
  return nullptr;
}

CommandDesk::Entry& CommandDesk::Add(CommandInfo info) {
  StoredCommand& command = info.command;
  const bool queued = info.delivery == Delivery::kQueue;
  const absl::Duration now = clock_.Monotonic();
  // The clocks meet here, once: a wall clock that steps later moves no expiry of this process.
  const link::CommandTracker::Terms terms{info.delivery == Delivery::kNow, command.reexecutable,
                                          now + (command.expire_time - clock_.Now()),
                                          command.deadline};
  CommandProgress progress = std::exchange(command.progress, {});
  Entry entry{std::move(info), link::CommandTracker(terms, progress), std::move(progress)};
  entry.sequence = ++last_sequence_;
  if (queued) entry.info.command.payload.clear();
  const std::string node = entry.info.command.node;
  const std::string key = entry.info.command.key;
  Entry& added = nodes_[node].insert_or_assign(key, std::move(entry)).first->second;
  Recount(added);
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

CommandDesk::Entry* CommandDesk::Lookup(const Id& id) {
  Entry* entry = Lookup(id.node, id.key);
  return entry != nullptr && entry->sequence == id.sequence ? entry : nullptr;
}

CommandDesk::Entry* CommandDesk::LookupQueued(const std::string& node, const std::string& key) {
  Entry* entry = Lookup(node, key);
  return entry != nullptr && entry->info.delivery == Delivery::kQueue ? entry : nullptr;
}

CommandDesk::Id CommandDesk::IdOf(const Entry& entry) {
  return {entry.info.command.node, entry.info.command.key, entry.sequence};
}

void CommandDesk::AddAll(const std::string& node, std::vector<StoredCommand> stored) {
  bool added = false;
  for (StoredCommand& command : stored) {
    if (Lookup(node, command.key) == nullptr) {
      Add({Delivery::kQueue, std::move(command)});
      added = true;
    } else if (Entry* entry = LookupQueued(node, command.key); entry != nullptr && !Leads(node)) {
      Adopt(*entry, std::move(command.progress));
    }
  }
  if (added) QueueAll(node);
}

void CommandDesk::Watch(Entry& entry, std::shared_ptr<CommandWatcher> watcher) {
  if (!watcher->Tell(InfoOf(entry))) return;
  if (IsFinal(entry.told.stage)) return watcher->Close(absl::OkStatus());
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
  info.command.progress = entry.told;
  return info;
}

std::optional<CommandInfo> CommandDesk::Find(const std::string& node,
                                             const std::string& key) const {
  auto entries = nodes_.find(node);
  if (entries == nodes_.end()) return std::nullopt;
  auto it = entries->second.find(key);
  if (it == entries->second.end()) return std::nullopt;
  return InfoOf(it->second);
}

absl::StatusOr<CommandInfo> CommandDesk::FindStored(CommandStore& store, const std::string& node,
                                                    const std::string& key) {
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store.Find(node, key));
  if (!stored.has_value()) return Unknown(node, key);
  return CommandInfo{Delivery::kQueue, *std::move(stored)};
}

std::vector<CommandInfo> CommandDesk::List(const std::string& node, const std::string& after,
                                           size_t count_max,
                                           std::vector<StoredCommand> stored) const {
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

void CommandDesk::Cancel(const std::string& node, const std::string& key, Answer answer) {
  if (Entry* entry = Lookup(node, key); entry != nullptr) {
    if (entry->cancelling) {
      return AfterStore(
          [this, node, key, answer = std::move(answer)](const absl::Status& asked) mutable {
            if (!asked.ok()) return answer(asked);
            Cancel(node, key, std::move(answer));
          });
    }
    link::CommandTracker cancelled = entry->tracker;
    if (absl::Status status = cancelled.Cancel().status(); !status.ok()) return answer(status);
    if (entry->info.delivery != Delivery::kQueue) {
      CommandInfo info = InfoOf(*entry);
      info.command.progress = cancelled.progress();
      Adopt(*entry, cancelled.progress());
      return answer(std::move(info));
    }
    entry->cancelling = true;
  }
  // Not before that is durable: a hub that starts anew would send it.
  Ask<Cancelled>([node, key](CommandStore& store) { return PutCancelled(store, node, key); },
                 [this, node, key, answer = std::move(answer)](auto cancelled) mutable {
                   HaveCancelled(node, key, std::move(cancelled), std::move(answer));
                 });
}

void CommandDesk::HaveCancelled(const std::string& node, const std::string& key,
                                absl::StatusOr<Cancelled> cancelled, Answer answer) {
  Entry* entry = LookupQueued(node, key);
  if (entry != nullptr) entry->cancelling = false;
  if (!cancelled.ok()) {
    if (entry != nullptr) Queue(*entry);
    return answer(cancelled.status());
  }
  if (!cancelled->command.has_value()) {
    if (entry == nullptr) return answer(Unknown(node, key));
    cancelled->command.emplace().progress = link::CommandTracker::EndOf(true);
  }
  StoredCommand& command = *cancelled->command;
  command.payload.clear();
  if (entry != nullptr) {
    if (!IsFinal(command.progress.stage)) Queue(*entry);
    if (IsFinal(command.progress.stage) || !Leads(node)) Adopt(*entry, command.progress);
  }
  if (cancelled->taken) return answer(CommandInfo{Delivery::kQueue, std::move(command)});
  absl::Status why = link::CommandTracker({}, std::move(command.progress)).Cancel().status();
  answer(why.ok() ? absl::AbortedError("the command has just come back; try again") : why);
}

void CommandDesk::CloseWatchers(const absl::Status& status) {
  for (const auto& watcher : std::exchange(asking_, {})) watcher->Close(status);
  for (auto& [node, entries] : nodes_) {
    for (auto& [key, entry] : entries) {
      for (const auto& watcher : std::exchange(entry.watchers, {})) watcher->Close(status);
    }
  }
}

}  // namespace skerry::cloudhub
