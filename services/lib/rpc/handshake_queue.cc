#include "services/lib/rpc/handshake_queue.h"

#include <algorithm>

namespace skerry::rpc {
namespace {

size_t ShareOf(size_t all) { return std::max<size_t>(1, all - all / 4); }

}  // namespace

bool HandshakeQueue::Add(Id id, const std::string& address) {
  Address& of = addresses_[address];
  if (of.waiting.size() >= ShareOf(config_.waiting_max)) return false;
  if (of.waiting.empty()) turns_.push_back(address);
  of.waiting.push_back(id);
  places_[id] = {address, std::nullopt};
  return true;
}

std::optional<HandshakeQueue::Id> HandshakeQueue::Next(absl::Duration now) {
  if (under_way_ >= config_.handshakes_max) return std::nullopt;
  for (auto turn = turns_.begin(); turn != turns_.end(); ++turn) {
    Address& of = addresses_.at(*turn);
    if (of.under_way >= ShareOf(config_.handshakes_max)) continue;
    const Id id = of.waiting.front();
    of.waiting.pop_front();
    ++of.under_way;
    ++under_way_;
    places_.at(id).until = now + config_.handshake_max;
    if (of.waiting.empty()) {
      turns_.erase(turn);
    } else {
      turns_.splice(turns_.end(), turns_, turn);
    }
    return id;
  }
  return std::nullopt;
}

void HandshakeQueue::Remove(Id id) {
  auto place = places_.find(id);
  if (place == places_.end()) return;
  auto of = addresses_.find(place->second.address);
  if (place->second.until.has_value()) {
    --of->second.under_way;
    --under_way_;
  } else {
    std::deque<Id>& waiting = of->second.waiting;
    waiting.erase(std::find(waiting.begin(), waiting.end(), id));
    if (waiting.empty()) turns_.remove(of->first);
  }
  if (of->second.waiting.empty() && of->second.under_way == 0) addresses_.erase(of);
  places_.erase(place);
}

std::vector<HandshakeQueue::Id> HandshakeQueue::Overdue(absl::Duration now) {
  std::vector<Id> overdue;
  for (const auto& [id, place] : places_) {
    if (place.until.has_value() && *place.until <= now) overdue.push_back(id);
  }
  for (Id id : overdue) Remove(id);
  return overdue;
}

}  // namespace skerry::rpc
