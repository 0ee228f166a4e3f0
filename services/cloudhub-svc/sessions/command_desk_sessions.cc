// What the desk does for the sessions of its nodes.
#include <map>
#include <string>
#include <utility>

#include "services/cloudhub-svc/sessions/command_desk.h"

namespace skerry::cloudhub {

namespace cloud = link::cloud;

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
  const StoredCommand& command = entry.info.command;
  if (IsFinal(tracker.progress().stage)) return;
  if (entry.info.delivery == Delivery::kQueue && !Leads(command.node)) return;
  // All are queued when what the store has of the node is known: that goes first.
  if (loading_.count(command.node) != 0 && !IsRead(command.node)) return;
  // Of a queued one the size is not known before it is fetched.
  feed_(command.node,
        cloud::QueueCommand{command.key, command.type,
                            entry.info.delivery == Delivery::kQueue ? link::kCommandBytesMax
                                                                    : command.payload.size(),
                            tracker.terms().now, tracker.progress().at_box});
}

void CommandDesk::Due(const std::string& node, const std::string& key) {
  Entry* entry = Lookup(node, key);
  if (entry == nullptr || entry->cancelling || IsFinal(entry->tracker.progress().stage))
    return feed_(node, cloud::DropCommand{key});
  if (entry->sending) return;  // The answer is on its way.
  const bool queued = entry->info.delivery == Delivery::kQueue;
  if (!queued && !IsBehind(*entry)) {
    Tell(*entry, entry->tracker.Sending());
    return SendOut(*entry, entry->info.command.payload);
  }
  entry->sending = true;
  if (queued) return SendQueued(*entry);
  AfterStore([this, id = IdOf(*entry)](const absl::Status& asked) {
    Entry* kept = Lookup(id);
    if (kept == nullptr) return;
    kept->sending = false;
    if (!asked.ok()) return Retry(*kept);
    if (IsFinal(kept->tracker.progress().stage)) return;
    Tell(*kept, kept->tracker.Sending());
    SendOut(*kept, kept->info.command.payload);
  });
}

bool CommandDesk::IsBehind(const Entry& entry) const {
  const StoredCommand& command = entry.info.command;
  for (const auto& [key, other] : nodes_.at(command.node)) {
    if (other.sending && other.info.command.type == command.type) return true;
  }
  return false;
}

void CommandDesk::SendOut(const Entry& entry, std::string payload) {
  const link::CommandTracker& tracker = entry.tracker;
  const StoredCommand& command = entry.info.command;
  if (IsFinal(tracker.progress().stage))
    return feed_(command.node, cloud::DropCommand{command.key});
  feed_(command.node,
        cloud::SendCommand{{command.key, command.type, std::move(payload), tracker.terms().deadline,
                            tracker.ExpireIn(clock_.Monotonic()), tracker.terms().reexecutable}});
}

void CommandDesk::Retry(Entry& entry) {
  feed_(entry.info.command.node, cloud::DropCommand{entry.info.command.key});
  entry.retry_at = clock_.Monotonic() + config_.store_retry;
  Rearm(entry);
}

void CommandDesk::Received(const std::string& node, link::CommandReceipt receipt) {
  Entry* entry = Lookup(node, receipt.key);
  if (entry == nullptr || IsFinal(entry->tracker.progress().stage)) return;
  if (receipt.stage == link::CommandReceipt::Stage::kDone &&
      entry->info.delivery == Delivery::kQueue) {
    ForgetEarly();
    if (!HasRoomFor(receipt)) {
      // The box keeps it, and is asked again.
      metrics_.CommandResponseDeferred();
      return Retry(*entry);
    }
  }
  Tell(*entry, entry->tracker.Receive(std::move(receipt)));
}

}  // namespace skerry::cloudhub
