// What the desk does for the sessions of its nodes.
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "services/cloudhub-svc/sessions/command_desk.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;
using link::CommandProgress;

void CommandDesk::NodeConnected(const std::string& node) {
  absl::Status loaded = Load(node);
  if (!loaded.ok()) log_.Error("queued commands can't be read", loaded, {{"node", node}});
  QueueAll(node);
}

void CommandDesk::QueueAll(const std::string& node) {
  auto entries = nodes_.find(node);
  if (entries == nodes_.end()) return;
  std::map<uint64_t, std::string> in_order;
  for (const auto& [key, entry] : entries->second) {
    if (!IsFinal(entry.tracker.progress().stage)) in_order[entry.sequence] = key;
  }
  for (const auto& [sequence, key] : in_order) {
    if (const Entry* entry = Lookup(node, key); entry != nullptr) Queue(*entry);
  }
}

void CommandDesk::Queue(const Entry& entry) {
  const link::CommandTracker& tracker = entry.tracker;
  if (IsFinal(tracker.progress().stage)) return;
  const StoredCommand& command = entry.info.command;
  // Of a queued one the size is not known before it is fetched.
  feed_(command.node,
        cloud::QueueCommand{command.key, command.type,
                            entry.info.delivery == Delivery::kQueue ? link::kCommandBytesMax
                                                                    : command.payload.size(),
                            tracker.terms().now, tracker.progress().at_box});
}

void CommandDesk::Due(const std::string& node, const std::string& key) {
  Entry* entry = Lookup(node, key);
  if (entry == nullptr || IsFinal(entry->tracker.progress().stage))
    return feed_(node, cloud::DropCommand{key});
  std::string payload = entry->info.command.payload;
  if (entry->info.delivery == Delivery::kQueue) {
    absl::StatusOr<std::optional<StoredCommand>> stored = store_.Find(node, key);
    if (!stored.ok()) {
      log_.Error("a queued command can't be read", stored.status(), {{"node", node}, {"key", key}});
      return Retry(*entry);
    }
    const CommandProgress progress =
        stored->has_value() ? (*stored)->progress : link::CommandTracker::EndOf(true);
    if (IsFinal(progress.stage)) return EndedElsewhere(*entry, progress);
    payload = std::move((*stored)->payload);
  }
  // That it may be at the box is durable before it is.
  Tell(*entry, entry->tracker.Sending());
  entry = Lookup(node, key);
  if (entry == nullptr || IsFinal(entry->tracker.progress().stage)) return;
  if (entry->unsaved) return Retry(*entry);
  const link::CommandTracker& tracker = entry->tracker;
  feed_(node, cloud::SendCommand{{key, entry->info.command.type, std::move(payload),
                                  tracker.terms().deadline, tracker.ExpireIn(clock_.Monotonic()),
                                  tracker.terms().reexecutable}});
}

void CommandDesk::Retry(Entry& entry) {
  feed_(entry.info.command.node, cloud::DropCommand{entry.info.command.key});
  entry.retry_at = clock_.Monotonic() + config_.store_retry;
  Rearm(entry);
}

void CommandDesk::Received(const std::string& node, link::CommandReceipt receipt) {
  Entry* entry = Lookup(node, receipt.key);
  if (entry != nullptr) Tell(*entry, entry->tracker.Receive(std::move(receipt)));
}

}  // namespace skerry::cloudhub
