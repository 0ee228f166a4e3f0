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
    auto paced = paced_.find(*turn);
    if (paced != paced_.end() && paced->second.until > now) {
      if (paced->second.next > now) continue;
      paced->second.next = now + config_.paced_gap;
    }
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

void HandshakeQueue::Fault(const std::string& address, absl::Duration now) {
  Faults* faults = FaultsOf(address, now);
  if (faults == nullptr) return;
  *faults = {Left(*faults, now) + 1, now};
  Paced(now);
  auto paced = paced_.find(address);
  if (paced == paced_.end() && faults->count > config_.faults_max) {
    paced = paced_.try_emplace(address).first;
  }
  if (paced == paced_.end()) return;
  faults->count = std::min(faults->count, config_.faults_max);
  paced->second.until = now + config_.paced_for;
}

size_t HandshakeQueue::Paced(absl::Duration now) {
  std::erase_if(paced_, [&](const auto& entry) { return entry.second.until <= now; });
  return paced_.size();
}

double HandshakeQueue::Left(const Faults& faults, absl::Duration now) const {
  const double forgotten = absl::ToDoubleSeconds(now - faults.last) * config_.faults_forgotten;
  return std::max(0.0, faults.count - forgotten);
}

HandshakeQueue::Faults* HandshakeQueue::FaultsOf(const std::string& address, absl::Duration now) {
  auto it = faults_.find(address);
  if (it != faults_.end()) return &it->second;
  if (faults_.size() >= config_.faulty_max) {
    Paced(now);
    std::erase_if(faults_, [&](const auto& entry) {
      return paced_.count(entry.first) == 0 && Left(entry.second, now) == 0;
    });
    if (faults_.size() >= config_.faulty_max) return nullptr;
  }
  return &faults_[address];
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
