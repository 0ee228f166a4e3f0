// Commands in the simulation: their senders and the hub's queue, the box's records and the taker.
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

void Simulation::AcceptCommand() {
  if (!lost_commands_.empty() && Random(2) == 0) {
    // The sender lost its hub before it heard the end: it asks again, with the same key.
    const std::string key = *lost_commands_.begin();
    lost_commands_.erase(lost_commands_.begin());
    ++seen_["command repeated"];
    commands_.at(key).repeated = true;
    return TrackCommand(key, {});
  }
  const uint64_t mode = Random(4);
  if (mode == 0 && current_ == 0) return;  // NOW is refused: the node is not connected.
  const std::string key = absl::StrCat("c", ++last_command_);
  SimCommand command;
  command.terms.now = mode == 0;
  command.durable = mode >= 2;
  command.terms.reexecutable = Random(4) == 0;
  command.terms.deadline = absl::Seconds(static_cast<int64_t>(1 + Random(20)));
  command.terms.expire_at = now_ + absl::Seconds(static_cast<int64_t>(1 + Random(60)));
  command.bytes = Random(8) == 0 ? 250000 : 10;
  commands_[key] = command;
  ++seen_["command"];
  TrackCommand(key, {});
}

void Simulation::TrackCommand(const std::string& key, const CommandProgress& progress) {
  trackers_.emplace(key, CommandTracker(commands_.at(key).terms, progress));
  if (current_ != 0) QueueCommand(key);
}

void Simulation::QueueCommand(const std::string& key) {
  const CommandTracker& tracker = trackers_.at(key);
  FeedCloud(current_, cloud::QueueCommand{key, "method", commands_.at(key).bytes,
                                          tracker.terms().now, tracker.progress().at_box});
}

void Simulation::QueueCommands() {
  std::vector<std::string> keys;
  for (const auto& [key, tracker] : trackers_) keys.push_back(key);
  for (const std::string& key : keys) {
    if (trackers_.count(key) != 0) QueueCommand(key);
  }
}

void Simulation::SendCommand(uint64_t connection, const std::string& key) {
  auto it = trackers_.find(key);
  if (it == trackers_.end() || connection != current_)
    return FeedCloud(connection, cloud::DropCommand{key});
  Tell(key, it->second.Sending());
  const CommandTracker::Terms& terms = it->second.terms();
  FeedCloud(connection,
            cloud::SendCommand{{key, "method", std::string(commands_.at(key).bytes, 'p'),
                                terms.deadline, it->second.ExpireIn(now_), terms.reexecutable}});
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
  absl::StatusOr<CommandTracker::Update> update = it->second.Cancel();
  if (update.ok()) Tell(std::string(it->first), *update);
}

void Simulation::TickCommands() {
  std::vector<std::string> keys;
  for (const auto& [key, tracker] : trackers_) keys.push_back(key);
  for (const std::string& key : keys) {
    auto it = trackers_.find(key);
    if (it != trackers_.end()) Tell(key, it->second.Tick(now_));
  }
}

// The sender hears something, which the store of the hub holds by then.
void Simulation::Tell(const std::string& key, const CommandTracker::Update& update) {
  if (!update.has_value()) return;
  SimCommand& command = commands_.at(key);
  command.progress = *update;
  if (!IsFinal(update->stage)) return;
  if (std::exchange(command.ended, true)) Fail(absl::StrCat("command ", key, " ends twice"));
  const int executed = executions_[key];
  if (update->stage == CommandStage::kDone && update->status.ok()) {
    ++seen_["command done"];
    if (executed == 0) Fail(absl::StrCat("command ", key, " is done and was not executed"));
    if (update->response != absl::StrCat(key, "/", executed))
      Fail(absl::StrCat("command ", key, " has the response ", update->response));
  } else {
    ++seen_[absl::StrCat("command ", update->stage == CommandStage::kCancelled
                                         ? "cancelled"
                                         : GetErrorInfo(update->status).reason)];
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

// What only memory holds is gone, with its senders' calls.
void Simulation::LoseCommands() {
  std::vector<std::string> queued;
  for (const auto& [key, tracker] : trackers_) {
    if (commands_.at(key).durable) {
      queued.push_back(key);
    } else {
      lost_commands_.insert(key);
    }
  }
  trackers_.clear();
  for (const std::string& key : queued) TrackCommand(key, commands_.at(key).progress);
}

// ---- the box ----

edge::CommandRecord Simulation::BeginCommand(const edge::BeginCommand& effect) {
  using State = edge::CommandRecord::State;
  if (Random(50) == 0) return {State::kRefused, absl::UnavailableError("the disk"), ""};
  auto it = records_.find(effect.command.key);
  if (it != records_.end() && it->second.done) {
    ++seen_["command known"];
    return {State::kDone, absl::OkStatus(), ""};
  }
  const bool begin = it == records_.end() || effect.command.reexecutable;
  if (effect.may_start && begin) {
    // Its taker may get it later: the box's own services are not the link's.
    if (now_ > commands_.at(effect.command.key).terms.expire_at + kTransit)
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
