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
// asked and answered in order.
//
// Where hubs share the store, the one that has the node's session leads the node's queue, as soon
// as it has read what the others left: it sends, says how commands go on, and ends them in time. At
// the others the queued ones follow what the store says (Reload). A hub with a store of its own
// leads all of them, always. A part of a Shard: used by its thread.
class CommandDesk {
 public:
  struct Config {
    bool shared = false;  // Other hubs use the store, too.
    // Of one node and this process: what is not queued.
    size_t waiting_max = 64;
    size_t waiting_bytes_max = 4u << 20;
    // All of this desk. What has ended is forgotten early where it takes more than half of that. A
    // response that waits for the store counts twice: the store is asked to take a copy.
    size_t memory_bytes_max = 64u << 20;
    size_t store_calls_max = 256;             // Senders whose commands the store is asked for.
    size_t watchers_max = 8;                  // Of one command.
    absl::Duration kept = absl::Minutes(10);  // What has ended, in memory.
    absl::Duration store_retry = absl::Seconds(5);
    absl::Duration retention = absl::Hours(24);  // What has ended, in the store.
  };
  // Into the node's session; nothing happens without one.
  using FeedNode = std::function<void(const std::string& node, link::cloud::Event event)>;
  // Of the node's session; 0 where it has none here.
  using SessionEpoch = std::function<uint64_t(const std::string& node)>;
  // Runs `work` on the store's thread, and then what it returns on the desk's. False, without
  // either, when that thread is no more.
  using OnStore = std::function<bool(absl::AnyInvocable<absl::AnyInvocable<void()>()> work)>;
  using Answer = absl::AnyInvocable<void(absl::StatusOr<CommandInfo>)>;

  // What it is given outlives it.
  CommandDesk(const Config& config, CommandStore& store, Clock& clock, CloudHubMetrics& metrics,
              log::Logger log, FeedNode feed, SessionEpoch session, OnStore on_store);

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

  // Other hubs have queued a command of the node, or say how one goes on; the store knows.
  void Reload(const std::string& node);
  // They may have, of any node whose commands wait here.
  void ReloadAll();

  void Tick();
  // For what no process has in memory; to be called now and then.
  void Sweep();
  // A Tick is due at this time; monotonic.
  absl::Duration NextWake() const;

 private:
  static constexpr size_t kEntryBytes = 1024;  // About, without payload and how it ended.
  struct Entry {
    CommandInfo info;  // Payload: of what is not queued, until it has ended.
    link::CommandTracker tracker;
    // What its watchers know; of a queued one that is in the store.
    link::CommandProgress told;
    uint64_t sequence = 0;
    uint64_t epoch = 0;    // Of the session in which it went on.
    size_t bytes = 0;      // In memory.
    size_t end_bytes = 0;  // Of these: how it ended, until the store has that.
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
  // What the store has instead, where it does not take how a command goes on.
  using Instead = std::optional<link::CommandProgress>;
  // What the store says to a command that is to be queued.
  struct Acceptance {
    bool inserted = false;
    std::vector<StoredCommand> unended;  // With this one.
    std::optional<StoredCommand> known;  // Where it was there already, or has ended at once.
  };
  // What the store says to a command that is due.
  struct Sending {
    Instead instead;
    std::string payload;
  };
  struct Cancelled {
    bool taken = false;
    std::optional<StoredCommand> command;
  };
  // What the store has of a node.
  struct NodeQueue {
    std::vector<StoredCommand> unended;
    std::vector<StoredCommand> ended;  // Of those that were asked for.
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
  static absl::StatusOr<Instead> Put(CommandStore& store, const Id& id,
                                     const link::CommandProgress& progress, uint64_t epoch);
  static absl::StatusOr<Sending> PutSending(CommandStore& store, const Id& id,
                                            const link::CommandProgress& progress, uint64_t epoch);
  static absl::StatusOr<Cancelled> PutCancelled(CommandStore& store, const std::string& node,
                                                const std::string& key);
  static absl::StatusOr<NodeQueue> ReadQueue(CommandStore& store, const std::string& node,
                                             const std::set<std::string>& keys);

  absl::Status CheckAccept(const CommandInfo& info) const;
  absl::Status CheckRoom(const CommandInfo& info) const;
  void AcceptQueued(CommandInfo info, std::shared_ptr<CommandWatcher> watcher);
  // Null where it has ended, and only the store knows it.
  absl::StatusOr<Entry*> Accepted(CommandInfo& info, Acceptance& acceptance);
  void Refuse(CommandWatcher& watcher, const absl::Status& status);
  // It is to be queued then.
  Entry& Add(CommandInfo info);
  // What is in the queue, in its order.
  void AddAll(const std::string& node, std::vector<StoredCommand> stored);
  // What the store has of the node, once again where it is being read.
  void Load(const std::string& node);
  void Read(const std::string& node);
  void HaveRead(const std::string& node, uint64_t epoch, absl::StatusOr<NodeQueue> queue);
  // The store was read in the node's present session.
  bool IsRead(const std::string& node) const;
  bool Leads(const std::string& node) const { return !config_.shared || IsRead(node); }
  // Those that the store has, as well.
  std::set<std::string> UnendedKeys(const std::string& node) const;
  Entry* Lookup(const std::string& node, const std::string& key);
  Entry* Lookup(const Id& id);
  Entry* LookupQueued(const std::string& node, const std::string& key);
  static Id IdOf(const Entry& entry);
  void HaveCancelled(const std::string& node, const std::string& key,
                     absl::StatusOr<Cancelled> cancelled, Answer answer);
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
  // Where the store fails it is tried again later. Where it does not take it, Adopt.
  void Save(Entry& entry);
  // It is as the store has it; but that it was started counts, of which this hub may know alone.
  void Adopt(Entry& entry, link::CommandProgress progress);
  // It, Tell, Adopt and Ended may forget entries that have ended, this one, too.
  void Announce(Entry& entry, const link::CommandProgress& progress);
  void Ended(Entry& entry);
  // What the entry has in memory has changed.
  void Recount(Entry& entry);
  // Of what has ended, where memory is short.
  void ForgetEarly();
  // Of a queued one, until the store has it.
  bool HasRoomFor(const link::CommandReceipt& end) const;
  void Forget(const std::string& node, const std::string& key);
  void Rearm(Entry& entry);

  const Config config_;
  CommandStore& store_;
  Clock& clock_;
  CloudHubMetrics& metrics_;
  const log::Logger log_;
  const FeedNode feed_;
  const SessionEpoch session_;
  const OnStore on_store_;
  std::map<std::string, Entries> nodes_;
  std::set<std::shared_ptr<CommandWatcher>> asking_;  // Their commands are to be queued.
  std::multiset<std::pair<std::string, std::string>> inserting_;
  std::map<std::string, bool> loading_;   // Nodes whose commands are read; again, after that.
  std::map<std::string, uint64_t> read_;  // Of nodes; the sessions in which they were.
  bool sweeping_ = false;
  // The key is empty where a node's commands are to be read again.
  std::set<std::tuple<absl::Duration, std::string, std::string>> timers_;
  std::set<std::string> rereading_;  // Nodes of which there is such a timer.
  std::set<std::tuple<absl::Duration, std::string, std::string>> ended_;  // By forget_at.
  uint64_t last_sequence_ = 0;
  size_t memory_bytes_ = 0;
  size_t end_bytes_ = 0;  // Of these, as of the entries.
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
