// Commands in the simulation: their senders and the hub's queue, the box's records and the taker.
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/link/testing/simulation.h"

namespace skerry::link::testing {
namespace {

// For how long what the cloud sent may be under way before the box gets it or the link is given up.
constexpr absl::Duration kTransit = absl::Minutes(2);

}  // namespace

// ---- the cloud ----

// As a CommandDesk: one call after the other, each answered before the next is.
void Simulation::AskStore(std::function<void()> work, std::function<void()> then) {
  store_calls_.push_back({std::move(work), std::move(then)});
}

void Simulation::StoreWork() {
  if (store_calls_.empty()) return;
  const StoreCall call = std::move(store_calls_.front());
  store_calls_.pop_front();
  call.work();
  call.then();
}

void Simulation::AcceptCommand() {
  if (!lost_commands_.empty() && Random(2) == 0) {
    // The sender lost its hub before it heard the end: it asks again, with the same key.
    const std::string key = *lost_commands_.begin();
    lost_commands_.erase(lost_commands_.begin());
    ++seen_["command repeated"];
    commands_.at(key).repeated = true;
    return AcceptCommand(key);
  }
  const uint64_t mode = Random(4);
  if (mode == 0 && current_ == 0) return;  // NOW is refused: the node is not connected.
  const std::string key = absl::StrCat("c", ++last_command_);
  SimCommand command;
  command.terms.now = mode == 0;
  command.queued = mode >= 2;
  command.terms.reexecutable = Random(4) == 0;
  command.terms.deadline = absl::Seconds(static_cast<int64_t>(1 + Random(20)));
  command.terms.expire_at = now_ + absl::Seconds(static_cast<int64_t>(1 + Random(60)));
  command.bytes = Random(8) == 0 ? 250000 : 10;
  commands_[key] = command;
  ++seen_["command"];
  AcceptCommand(key);
}

void Simulation::AcceptCommand(const std::string& key) {
  if (!commands_.at(key).queued) return TrackCommand(key, {});
  AskStore([this, key] { commands_.at(key).durable = true; },
           [this, key] { TrackCommand(key, {}); });
}

void Simulation::TrackCommand(const std::string& key, const CommandProgress& progress) {
  trackers_.emplace(key, CommandTracker(commands_.at(key).terms, progress));
  QueueCommand(key);
}

void Simulation::QueueCommand(const std::string& key) {
  const CommandTracker& tracker = trackers_.at(key);
  if (current_ == 0 || commands_read_ != last_epoch_ || IsFinal(tracker.progress().stage)) return;
  FeedCloud(current_, cloud::QueueCommand{key, "method", commands_.at(key).bytes,
                                          tracker.terms().now, tracker.progress().at_box});
}

void Simulation::QueueCommands() {
  AskStore([] {},
           [this, epoch = last_epoch_] {
             commands_read_ = epoch;
             std::vector<std::string> keys;
             for (const auto& [key, tracker] : trackers_) keys.push_back(key);
             for (const std::string& key : keys) {
               if (trackers_.count(key) != 0) QueueCommand(key);
             }
           });
}

void Simulation::CommandDue(uint64_t connection, const std::string& key) {
  auto it = trackers_.find(key);
  if (it == trackers_.end() || connection != current_ || cancelling_.count(key) != 0 ||
      IsFinal(it->second.progress().stage))
    return FeedCloud(connection, cloud::DropCommand{key});
  if (sending_.count(key) != 0) return;  // The answer is on its way.
  if (!commands_.at(key).queued && sending_.empty()) {
    Tell(key, it->second.Sending());
    return SendCommand(key);
  }
  sending_[key] = last_epoch_;
  if (!commands_.at(key).queued) {
    return AskStore([] {},
                    [this, key] {
                      sending_.erase(key);
                      auto kept = trackers_.find(key);
                      if (kept == trackers_.end() || IsFinal(kept->second.progress().stage)) return;
                      Tell(key, kept->second.Sending());
                      SendCommand(key);
                    });
  }
  // That it may be at the box is durable before it is.
  it->second.Sending();
  AskStore([this, key, progress = it->second.progress()] { commands_.at(key).progress = progress; },
           [this, key] {
             if (std::exchange(sending_[key], 0) != last_epoch_)
               ++seen_["command sent in a later session"];
             sending_.erase(key);
             if (trackers_.count(key) != 0) SendCommand(key);
           });
}

void Simulation::SendCommand(const std::string& key) {
  if (current_ == 0) return;
  const CommandTracker& tracker = trackers_.at(key);
  if (IsFinal(tracker.progress().stage)) return FeedCloud(current_, cloud::DropCommand{key});
  const CommandTracker::Terms& terms = tracker.terms();
  FeedCloud(current_,
            cloud::SendCommand{{key, "method", std::string(commands_.at(key).bytes, 'p'),
                                terms.deadline, tracker.ExpireIn(now_), terms.reexecutable}});
}

void Simulation::CommandReceived(const CommandReceipt& receipt) {
  if (receipt.stage == CommandReceipt::Stage::kReturned) ++seen_["command returned"];
  auto it = trackers_.find(receipt.key);
  if (it != trackers_.end()) Tell(receipt.key, it->second.Receive(receipt));
}

void Simulation::CancelCommand() {
  if (trackers_.empty()) return;
  auto it = trackers_.begin();
  std::advance(it, Random(trackers_.size()));
  const std::string key = it->first;
  CommandTracker cancelled = it->second;
  if (cancelling_.count(key) != 0 || !cancelled.Cancel().ok()) return;
  if (!commands_.at(key).queued) return Tell(key, *it->second.Cancel());
  cancelling_.insert(key);
  // Not before that is durable: a hub that starts anew would send it.
  AskStore(
      [this, key, progress = cancelled.progress()] {
        SimCommand& command = commands_.at(key);
        if (!command.progress.at_box && !IsFinal(command.progress.stage))
          command.progress = progress;
      },
      [this, key] {
        cancelling_.erase(key);
        if (trackers_.count(key) == 0) return;
        const CommandProgress progress = commands_.at(key).progress;
        if (progress.stage == CommandStage::kCancelled) return Announce(key, progress);
        QueueCommand(key);
      });
}

void Simulation::TickCommands() {
  std::vector<std::string> keys;
  for (const auto& [key, tracker] : trackers_) keys.push_back(key);
  for (const std::string& key : keys) {
    auto it = trackers_.find(key);
    if (it != trackers_.end()) Tell(key, it->second.Tick(now_));
  }
}

// The sender hears something, which the hub's store holds by then, if the box would not say it
// again.
void Simulation::Tell(const std::string& key, const CommandTracker::Update& update) {
  if (!update.has_value()) return;
  const SimCommand& command = commands_.at(key);
  const bool matters = update->stage != CommandStage::kDelivered &&
                       (update->stage != CommandStage::kStarted || command.terms.reexecutable);
  if (!command.queued || !matters) return Announce(key, *update);
  AskStore(
      [this, key, progress = *update] {
        // An end is final.
        SimCommand& stored = commands_.at(key);
        if (!IsFinal(stored.progress.stage)) stored.progress = progress;
      },
      [this, key, progress = *update] {
        if (trackers_.count(key) != 0) Announce(key, progress);
      });
}

void Simulation::Announce(const std::string& key, const CommandProgress& progress) {
  SimCommand& command = commands_.at(key);
  if (!command.queued) command.progress = progress;
  if (!IsFinal(progress.stage)) return;
  if (std::exchange(command.ended, true)) Fail(absl::StrCat("command ", key, " ends twice"));
  const int executed = executions_[key];
  if (progress.stage == CommandStage::kDone && progress.status.ok()) {
    ++seen_["command done"];
    if (executed == 0) Fail(absl::StrCat("command ", key, " is done and was not executed"));
    if (progress.response != absl::StrCat(key, "/", executed))
      Fail(absl::StrCat("command ", key, " has the response ", progress.response));
  } else {
    ++seen_[absl::StrCat("command ", progress.stage == CommandStage::kCancelled
                                         ? "cancelled"
                                         : GetErrorInfo(progress.status).reason)];
  }
  CheckCommand(key);
  trackers_.erase(key);
  if (current_ != 0) FeedCloud(current_, cloud::DropCommand{key});
}

void Simulation::CheckCommand(const std::string& key) {
  const SimCommand& command = commands_.at(key);
  const int executed = executions_[key];
  if (executed > 1 && !command.terms.reexecutable)
    Fail(absl::StrCat("command ", key, " is executed ", executed, " times"));
  const bool never = command.ended && (command.progress.stage == CommandStage::kExpired ||
                                       command.progress.stage == CommandStage::kCancelled);
  if (never && executed > 0 && !command.repeated)
    Fail(absl::StrCat("command ", key, " expired or was cancelled, and is executed"));
}

// What only memory holds is gone, with its senders' calls. The store may still do what it was
// asked.
void Simulation::LoseCommands() {
  for (uint64_t done = Random(store_calls_.size() + 1); done > 0; --done) {
    store_calls_.front().work();
    store_calls_.pop_front();
    ++seen_["store's answer lost"];
  }
  store_calls_.clear();
  sending_.clear();
  cancelling_.clear();
  trackers_.clear();
  std::vector<std::string> durable;
  for (const auto& [key, command] : commands_) {
    if (command.ended) continue;
    if (command.durable) {
      durable.push_back(key);
    } else {
      lost_commands_.insert(key);
    }
  }
  for (const std::string& key : durable) {
    const CommandProgress progress = commands_.at(key).progress;
    // Of what has ended the sender, which asks again, hears the end.
    if (IsFinal(progress.stage)) {
      Announce(key, progress);
    } else {
      TrackCommand(key, progress);
    }
  }
}

// ---- the box ----

edge::CommandRecord Simulation::BeginCommand(const edge::BeginCommand& effect) {
  using State = edge::CommandRecord::State;
  if (Random(50) == 0) return {State::kRefused, absl::UnavailableError("the disk"), ""};
  const SimCommand& sent = commands_.at(effect.command.key);
  // link-10.14
  if (sent.queued && !sent.progress.at_box)
    Fail(absl::StrCat("the store does not say that the box may have ", effect.command.key));
  auto it = records_.find(effect.command.key);
  if (it != records_.end() && it->second.done) {
    ++seen_["command known"];
    return {State::kDone, absl::OkStatus(), ""};
  }
  const bool begin = it == records_.end() || effect.command.reexecutable;
  if (effect.may_start && begin) {
    // Its taker may get it later: the box's own services are not the link's.
    if (now_ > sent.terms.expire_at + kTransit)
      Fail(absl::StrCat("command ", effect.command.key, " is begun long after its expiry"));
    records_[effect.command.key] = {};
    return {State::kBegun, absl::OkStatus(), ""};
  }
  return {it == records_.end() ? State::kAbsent : State::kStarted, absl::OkStatus(), ""};
}

absl::Status Simulation::FinishCommand(const edge::FinishCommand& effect) {
  auto it = records_.find(effect.key);
  if (it == records_.end() || Random(50) == 0) return absl::UnavailableError("the disk");
  it->second = {true, effect.status, effect.response};
  return absl::OkStatus();
}

edge::CommandRecord Simulation::ReadCommand(const std::string& key) {
  auto it = records_.find(key);
  if (it == records_.end() || !it->second.done) return {};
  return {edge::CommandRecord::State::kDone, it->second.status, it->second.response};
}

void Simulation::ExecuteCommand(const edge::CommandRequest& request) {
  const int executed = ++executions_[request.key];
  CheckCommand(request.key);
  executing_.push_back({request.key, absl::StrCat(request.key, "/", executed)});
}

void Simulation::FinishExecuting() {
  if (executing_.empty() || spoke_ == 0) return;
  auto it = executing_.begin();
  std::advance(it, Random(executing_.size()));
  auto [key, response] = std::move(*it);
  executing_.erase(it);
  FeedEdge(edge::CommandDone{spoke_, std::move(key), absl::OkStatus(), std::move(response)});
}

}  // namespace skerry::link::testing
