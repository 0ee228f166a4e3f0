// The commands of some of the nodes, from their acceptance to their ends.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/metrics.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/base/clock.h"
#include "services/lib/base/error.h"
#include "services/lib/link/cloud_events.h"
#include "services/lib/link/command_tracker.h"
#include "services/lib/log/logger.h"

namespace skerry::cloudhub {

enum class Delivery { kNow, kWait, kQueue };

// A command as its senders see it. The payload is empty but in what is sent.
struct CommandInfo {
  Delivery delivery = Delivery::kNow;
  StoredCommand command;
};

// Who wants to know what becomes of a command. Any thread may call it; it does not block.
class CommandWatcher {
 public:
  virtual ~CommandWatcher() = default;
  // False where nobody listens any more.
  virtual bool Tell(const CommandInfo& info) = 0;
  virtual bool Listens() const = 0;
  virtual void Close(absl::Status status) = 0;
};

inline absl::Status Draining() {
  return Error(absl::StatusCode::kUnavailable, "the hub is draining").Reason("DRAINING");
}

// Keeps those that are under way, and for a while those that have ended; what is to outlive the
// process is in the store, which is asked where a key is not here. Nothing waits for the store: it
// is asked on a thread of its own, one call after the other, so that of each node everything is
// asked and answered in order. A part of a Shard: used by its thread.
class CommandDesk {
 public:
  struct Config {
    // Of one node and this process: what is not queued.
    size_t waiting_max = 64;
    size_t waiting_bytes_max = 4u << 20;
    // All of this desk. What has ended is forgotten early where it takes more than half of that.
    size_t memory_bytes_max = 64u << 20;
    size_t store_calls_max = 256;             // Senders whose commands the store is asked for.
    size_t watchers_max = 8;                  // Of one command.
    absl::Duration kept = absl::Minutes(10);  // What has ended, in memory.
    absl::Duration store_retry = absl::Seconds(5);
    absl::Duration retention = absl::Hours(24);  // What has ended, in the store.
  };
  // Into the node's session; nothing happens without one.
  using FeedNode = std::function<void(const std::string& node, link::cloud::Event event)>;
  using IsConnected = std::function<bool(const std::string& node)>;
  // Runs `work` on the store's thread, and then what it returns on the desk's. False, without
  // either, when that thread is no more.
  using OnStore = std::function<bool(absl::AnyInvocable<absl::AnyInvocable<void()>()> work)>;
  using Answer = absl::AnyInvocable<void(absl::StatusOr<CommandInfo>)>;

  // What it is given outlives it.
  CommandDesk(const Config& config, CommandStore& store, Clock& clock, CloudHubMetrics& metrics,
              log::Logger log, FeedNode feed, IsConnected connected, OnStore on_store);

  // A key that is known is the same command: the watcher hears where that is.
  void Send(CommandInfo info, std::shared_ptr<CommandWatcher> watcher);
  // What is in memory; the rest is in the store.
  std::optional<CommandInfo> Find(const std::string& node, const std::string& key) const;
  static absl::StatusOr<CommandInfo> FindStored(CommandStore& store, const std::string& node,
                                                const std::string& key);
  // With what the store has lists.
  std::vector<CommandInfo> List(const std::string& node, const std::string& after, size_t count_max,
                                std::vector<StoredCommand> stored) const;
  void Cancel(const std::string& node, const std::string& key, Answer answer);
  // Ends the watchers' calls: their senders ask another hub, or this one when it is back.
  void CloseWatchers(const absl::Status& status);

  // Of the sessions.
  void NodeConnected(const std::string& node);
  void Due(const std::string& node, const std::string& key);
  void Received(const std::string& node, link::CommandReceipt receipt);

  void Tick();
  // For what no process has in memory; to be called now and then.
  void Sweep();
  // A Tick is due at this time; monotonic.
  absl::Duration NextWake() const;

 private:
  struct Entry {
    CommandInfo info;  // Payload: of what is not queued, until it has ended.
    link::CommandTracker tracker;
    // What its watchers know; of a queued one that is in the store.
    link::CommandProgress told;
    uint64_t sequence = 0;
    size_t bytes = 0;  // In memory.
    std::vector<std::shared_ptr<CommandWatcher>> watchers;
    bool sending = false;                                 // It is due; the store is asked.
    bool cancelling = false;                              // The store is asked.
    bool unsaved = false;                                 // The store failed.
    absl::Duration retry_at = absl::InfiniteDuration();   // Because of that.
    absl::Duration forget_at = absl::InfiniteDuration();  // Where its end is told.
    absl::Duration timer = absl::InfiniteDuration();
  };
  using Entries = std::map<std::string, Entry>;  // By key.
  // Of an entry, when the store has answered.
  struct Id {
    std::string node;
    std::string key;
    uint64_t sequence = 0;
  };
  // How a command ended in the store, where it has.
  using End = std::optional<link::CommandProgress>;
  // What the store says to a command that is to be queued.
  struct Acceptance {
    std::vector<StoredCommand> unended;  // Those that were there before.
    std::optional<StoredCommand> known;  // Where it was there already.
  };
  // What the store says to a command that is due.
  struct Sending {
    End end;
    std::string payload;
  };

  // `then` hears what `work` found, on the desk's thread, in the order of the calls; UNAVAILABLE /
  // DRAINING where the store is asked no more.
  template <typename Result>
  void Ask(absl::AnyInvocable<absl::StatusOr<Result>(CommandStore&)> work,
           absl::AnyInvocable<void(absl::StatusOr<Result>)> then);
  // After what the store was asked before. With an error that may not be over: at once, where the
  // store is asked no more.
  void AfterStore(absl::AnyInvocable<void(const absl::Status&)> then);
  // On the store's thread.
  // Not where there is no `room` in memory.
  static absl::StatusOr<Acceptance> Insert(CommandStore& store, const StoredCommand& command,
                                           const absl::Status& room);
  static absl::StatusOr<End> Put(CommandStore& store, const Id& id,
                                 const link::CommandProgress& progress, absl::Time now);
  static absl::StatusOr<Sending> PutSending(CommandStore& store, const Id& id,
                                            const link::CommandProgress& progress, absl::Time now);

  absl::Status CheckAccept(const CommandInfo& info) const;
  absl::Status CheckRoom(const CommandInfo& info) const;
  void AcceptQueued(CommandInfo info, std::shared_ptr<CommandWatcher> watcher);
  // Null where it has ended, and only the store knows it.
  absl::StatusOr<Entry*> Accepted(CommandInfo& info, Acceptance& acceptance);
  void Refuse(CommandWatcher& watcher, const absl::Status& status);
  // It is to be queued then.
  Entry& Add(CommandInfo info);
  // What other processes left in the queue, before what comes now.
  void AddAll(const std::string& node, std::vector<StoredCommand> stored);
  Entry* Lookup(const std::string& node, const std::string& key);
  Entry* Lookup(const Id& id);
  static Id IdOf(const Entry& entry);
  void CancelEntry(Entry& entry, Answer answer);
  // All of the node that have not ended, into its session, in the order of their acceptance.
  void QueueAll(const std::string& node);
  void Watch(Entry& entry, std::shared_ptr<CommandWatcher> watcher);
  static CommandInfo InfoOf(const Entry& entry);
  void Queue(const Entry& entry);
  // Another of its type is due, and the store is asked for that.
  bool IsBehind(const Entry& entry) const;
  void SendQueued(Entry& entry);
  // Into the session.
  void SendOut(const Entry& entry, std::string payload);
  // The store failed: it goes back, and out again a little later.
  void Retry(Entry& entry);
  // Remembers and tells what is new; what can't be remembered is told when it can.
  void Tell(Entry& entry, const link::CommandTracker::Update& update);
  // Where the store fails it is tried again later. One that has ended in the store has ended so
  // here, too, afterwards.
  void Save(Entry& entry);
  void Adopt(Entry& entry, link::CommandProgress end);
  // It, Tell, Adopt and Ended may forget entries that have ended, this one, too.
  void Announce(Entry& entry, const link::CommandProgress& progress);
  void Ended(Entry& entry);
  void Forget(const std::string& node, const std::string& key);
  void Rearm(Entry& entry);

  const Config config_;
  CommandStore& store_;
  Clock& clock_;
  CloudHubMetrics& metrics_;
  const log::Logger log_;
  const FeedNode feed_;
  const IsConnected connected_;
  const OnStore on_store_;
  std::map<std::string, Entries> nodes_;
  std::set<std::shared_ptr<CommandWatcher>> asking_;  // Their commands are to be queued.
  std::multiset<std::pair<std::string, std::string>> inserting_;
  std::set<std::string> loading_;  // Nodes whose commands are read.
  bool sweeping_ = false;
  // The key is empty where a node's commands are to be read again.
  std::set<std::tuple<absl::Duration, std::string, std::string>> timers_;
  std::set<std::string> rereading_;  // Nodes of which there is such a timer.
  std::set<std::tuple<absl::Duration, std::string, std::string>> ended_;  // By forget_at.
  uint64_t last_sequence_ = 0;
  size_t memory_bytes_ = 0;
};

template <typename Result>
void CommandDesk::Ask(absl::AnyInvocable<absl::StatusOr<Result>(CommandStore&)> work,
                      absl::AnyInvocable<void(absl::StatusOr<Result>)> then) {
  auto kept = std::make_shared<decltype(then)>(std::move(then));
  const bool asked =
      on_store_([this, work = std::move(work), kept]() mutable -> absl::AnyInvocable<void()> {
        return [kept, result = work(store_)]() mutable { (*kept)(std::move(result)); };
      });
  if (!asked) (*kept)(Draining());
}

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_H_
