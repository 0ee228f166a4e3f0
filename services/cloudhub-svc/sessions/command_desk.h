// The commands of some of the nodes, from their acceptance to their ends.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/cloudhub-svc/metrics.h"
#include "services/cloudhub-svc/store/command_store.h"
#include "services/lib/base/clock.h"
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

// Keeps those that are under way, and for a while those that have ended; what is to outlive the
// process is in the store, which is asked where a key is not here. A part of a Shard: used by its
// thread.
class CommandDesk {
 public:
  struct Config {
    // Of one node and this process: what is not queued.
    size_t waiting_max = 64;
    size_t waiting_bytes_max = 4u << 20;
    // All of this desk. What has ended is forgotten early where it takes more than half of that.
    size_t memory_bytes_max = 64u << 20;
    size_t watchers_max = 8;                  // Of one command.
    absl::Duration kept = absl::Minutes(10);  // What has ended, in memory.
    absl::Duration store_retry = absl::Seconds(5);
    absl::Duration retention = absl::Hours(24);  // What has ended, in the store.
  };
  // Into the node's session; nothing happens without one.
  using FeedNode = std::function<void(const std::string& node, link::cloud::Event event)>;
  using IsConnected = std::function<bool(const std::string& node)>;

  // What it is given outlives it.
  CommandDesk(const Config& config, CommandStore& store, Clock& clock, CloudHubMetrics& metrics,
              log::Logger log, FeedNode feed, IsConnected connected);

  // A key that is known is the same command: the watcher hears where that is.
  void Send(CommandInfo info, std::shared_ptr<CommandWatcher> watcher);
  absl::StatusOr<CommandInfo> Find(const std::string& node, const std::string& key);
  absl::StatusOr<std::vector<CommandInfo>> List(const std::string& node, const std::string& after,
                                                size_t count_max);
  absl::StatusOr<CommandInfo> Cancel(const std::string& node, const std::string& key);
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
    uint64_t sequence = 0;
    size_t bytes = 0;  // In memory.
    std::vector<std::shared_ptr<CommandWatcher>> watchers;
    bool unsaved = false;                                // The store failed.
    absl::Duration retry_at = absl::InfiniteDuration();  // Because of that.
    absl::Duration forget_at = absl::InfiniteDuration();
    absl::Duration timer = absl::InfiniteDuration();
  };
  using Entries = std::map<std::string, Entry>;  // By key.

  // Null where it has ended, and only the store knows it.
  absl::StatusOr<Entry*> Accept(CommandInfo& info);
  absl::Status CheckRoom(const CommandInfo& info) const;
  absl::StatusOr<Entry*> AcceptQueued(CommandInfo& info);
  // It is to be queued then.
  Entry& Add(CommandInfo info);
  Entry* Lookup(const std::string& node, const std::string& key);
  // Here, or fetched from the store where it has not ended. Null otherwise.
  absl::StatusOr<Entry*> LookupUnended(const std::string& node, const std::string& key);
  // What an earlier process left in the queue, before what comes now.
  absl::Status Load(const std::string& node);
  // All of the node that have not ended, into its session, in the order of their acceptance.
  void QueueAll(const std::string& node);
  void Watch(Entry& entry, std::shared_ptr<CommandWatcher> watcher);
  static CommandInfo InfoOf(const Entry& entry);
  void Queue(const Entry& entry);
  // The store failed: it goes back, and out again a little later.
  void Retry(Entry& entry);
  // Remembers and tells what is new; what can't be remembered is told when it can.
  void Tell(Entry& entry, const link::CommandTracker::Update& update);
  // Where the store fails it is tried again later. One that has ended in the store has ended so
  // here, too, afterwards.
  absl::Status Save(Entry& entry);
  absl::Status AdoptEnd(Entry& entry);
  // It, Tell and Ended may forget entries that have ended, this one, too.
  void Announce(Entry& entry);
  // The store says so.
  void EndedElsewhere(Entry& entry, link::CommandProgress progress);
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
  std::map<std::string, Entries> nodes_;
  std::set<std::tuple<absl::Duration, std::string, std::string>> timers_;
  std::set<std::tuple<absl::Duration, std::string, std::string>> ended_;  // By forget_at.
  uint64_t last_sequence_ = 0;
  size_t memory_bytes_ = 0;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_SESSIONS_COMMAND_DESK_H_
