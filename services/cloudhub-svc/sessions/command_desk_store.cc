// What the desk asks the store.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/lib/base/status_macros.h"

namespace skerry::cloudhub {

using link::CommandProgress;

namespace {

constexpr absl::Duration kSweepGrace = absl::Minutes(1);

// The row did not take what was put, so it has ended; where it is gone, a while ago.
absl::StatusOr<CommandProgress> EndOf(std::optional<StoredCommand> stored) {
  if (!stored.has_value()) return link::CommandTracker::EndOf(true);
  if (!IsFinal(stored->progress.stage)) return absl::AbortedError("the store did not take it");
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
  SKERRY_ASSIGN_OR_RETURN(acceptance.unended, store.Unended(command.node));
  SKERRY_ASSIGN_OR_RETURN(acceptance.known, store.Find(command.node, command.key));
  if (acceptance.known.has_value()) return acceptance;
  SKERRY_RETURN_IF_ERROR(room);
  SKERRY_ASSIGN_OR_RETURN(bool inserted, store.Insert(command));
  if (inserted) return acceptance;
  // Another replica was faster.
  SKERRY_ASSIGN_OR_RETURN(acceptance.known, store.Find(command.node, command.key));
  if (!acceptance.known.has_value()) return absl::AbortedError("the command has just gone");
  return acceptance;
}

absl::StatusOr<CommandDesk::End> CommandDesk::Put(CommandStore& store, const Id& id,
                                                  const CommandProgress& progress, absl::Time now) {
  SKERRY_ASSIGN_OR_RETURN(bool updated, store.Update(id.node, id.key, progress, now));
  if (updated) return End();
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store.Find(id.node, id.key));
  SKERRY_ASSIGN_OR_RETURN(CommandProgress end, EndOf(std::move(stored)));
  return End(std::move(end));
}

absl::StatusOr<CommandDesk::Sending> CommandDesk::PutSending(CommandStore& store, const Id& id,
                                                             const CommandProgress& progress,
                                                             absl::Time now) {
  Sending sending;
  SKERRY_ASSIGN_OR_RETURN(std::optional<StoredCommand> stored, store.Find(id.node, id.key));
  if (stored.has_value()) sending.payload = std::move(stored->payload);
  SKERRY_ASSIGN_OR_RETURN(sending.end, Put(store, id, progress, now));
  return sending;
}

// ---- on the desk's thread ----

void CommandDesk::NodeConnected(const std::string& node) {
  if (!loading_.insert(node).second) return;
  Ask<std::vector<StoredCommand>>(
      [node](CommandStore& store) { return store.Unended(node); },
      [this, node](auto stored) {
        if (stored.ok()) {
          AddAll(node, *std::move(stored));
        } else {
          log_.Error("queued commands can't be read", stored.status(), {{"node", node}});
          if (rereading_.insert(node).second)
            timers_.insert({clock_.Monotonic() + config_.store_retry, node, ""});
        }
        loading_.erase(node);
        QueueAll(node);
      });
}

void CommandDesk::Save(Entry& entry) {
  const Id id = IdOf(entry);
  const CommandProgress progress = entry.tracker.progress();
  Ask<End>([id, progress,
            now = clock_.Now()](CommandStore& store) { return Put(store, id, progress, now); },
           [this, id, progress](auto end) {
             Entry* kept = Lookup(id);
             if (kept == nullptr) return;
             kept->unsaved = !end.ok();
             if (!end.ok()) {
               log_.Error("a queued command can't be stored", end.status(),
                          {{"node", id.node}, {"key", id.key}});
               kept->retry_at = clock_.Monotonic() + config_.store_retry;
               return Rearm(*kept);
             }
             if (end->has_value()) return Adopt(*kept, **std::move(end));
             Announce(*kept, progress);
           });
}

void CommandDesk::SendQueued(Entry& entry) {
  const Id id = IdOf(entry);
  // That it may be at the box is durable before it is.
  entry.tracker.Sending();
  const CommandProgress progress = entry.tracker.progress();
  Ask<Sending>([id, progress, now = clock_.Now()](
                   CommandStore& store) { return PutSending(store, id, progress, now); },
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
                 if (sending->end.has_value()) return Adopt(*kept, *std::move(sending->end));
                 if (progress.stage != kept->told.stage) Announce(*kept, progress);
                 SendOut(*kept, std::move(sending->payload));
               });
}

void CommandDesk::Sweep() {
  if (std::exchange(sweeping_, true)) return;
  // Those that are here end by this process's own timers, before that.
  Ask<int64_t>([until = clock_.Now() - kSweepGrace, retention = config_.retention](
                   CommandStore& store) { return store.Sweep(until, retention); },
               [this](auto ended) {
                 sweeping_ = false;
                 if (!ended.ok()) log_.Error("queued commands can't be swept", ended.status());
               });
}

}  // namespace skerry::cloudhub
