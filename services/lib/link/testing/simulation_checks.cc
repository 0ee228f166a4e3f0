// Time in the simulation, and what must hold when nothing moves any more.
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/link/testing/simulation.h"

namespace skerry::link::testing {

void Simulation::Advance(absl::Duration by) {
  now_ += by;
  FeedEdge(edge::Tick{});
  FeedAllSessions(cloud::Tick{});
  TickCommands();
  CheckDeadPeers();
  // Connections that both ends have left are forgotten.
  for (auto it = connections_.begin(); it != connections_.end();) {
    const bool over = it->second.session == nullptr && it->first != edge_connection_;
    it = over ? connections_.erase(it) : std::next(it);
  }
  // The hub's end is closed and all was delivered: the edge sees it.
  auto it = connections_.find(edge_connection_);
  if (it != connections_.end() && it->second.session == nullptr && it->second.down.empty() &&
      !it->second.cut) {
    it->second.cut = true;
    FeedEdge(edge::LinkClosed{edge_connection_ - connection_base_,
                              absl::UnavailableError("the hub closed")});
  }
}

bool Simulation::Quiet() const {
  if (!edge_->connected() || current_ != edge_connection_) return false;
  if (guest_ != nullptr && !guest_->Quiet()) return false;
  return trackers_.empty() && store_calls_.empty() && cloud_users_.empty() && box_users_.empty() &&
         for_spoke_.empty() && for_controller_.empty() && for_edge_.empty() && journal_.empty() &&
         events_.empty() && connections_.at(current_).session->unsent_bytes() == 0 &&
         connections_.at(current_).down.empty() && connections_.at(current_).up.empty();
}

void Simulation::CheckFinal() {
  if (edge_->tunnels() + connections_.at(current_).session->tunnels() != 0)
    Fail("tunnels are left");
  if (store_ != desired_) Fail("the box does not hold what is desired");
  for (const auto& [key, value] : reported_) {
    if (applied_[key] != value) Fail(absl::StrCat("the last report of ", key, " is not applied"));
  }
  if (events_applied_ + events_lost_ != last_event_) {
    Fail(absl::StrCat(last_event_, " events, of which ", events_applied_, " are applied and ",
                      events_lost_, " known to be lost"));
  }
  if (events_lost_ != 0) ++seen_["event lost"];
  if (guest_ != nullptr) guest_->CheckFinal();
  for (const auto& [key, command] : commands_) {
    CheckCommand(key);
    if (!command.ended && lost_commands_.count(key) == 0)
      Fail(absl::StrCat("command ", key, " has not ended"));
  }
}

void Simulation::Fail(const std::string& what) {
  if (failure_.empty()) failure_ = what;
}

std::string Simulation::RandomKey() { return absl::StrCat("default/p", Random(8)); }

}  // namespace skerry::link::testing
