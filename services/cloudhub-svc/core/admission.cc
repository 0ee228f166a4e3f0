#include "services/cloudhub-svc/core/admission.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace skerry::cloudhub {
namespace {

// Of GoAway, with the jitter: what the edge takes at most (link-6.3) is 60 s.
constexpr absl::Duration kRetryMin = absl::Seconds(1);
constexpr absl::Duration kRetryMax = absl::Seconds(48);
constexpr double kJitter = 0.25;
// From being sent away: the longest retry_after, the edge's own wait, and time to dial.
constexpr absl::Duration kTicketLife = absl::Minutes(2);
constexpr double kMeanWeight = 1.0 / 16;

}  // namespace

std::vector<Admission::Verdict> Admission::Arrive(Id id, const std::string& node,
                                                  absl::Duration now) {
  std::vector<Verdict> verdicts;
  DropOldTickets(now);
  const std::optional<Number> ticket = TakeTicket(node);
  const Number number = ticket.has_value() ? *ticket : ++last_number_;
  arrived_[number] = {id, node, now + config_.wait_max};
  lines_[id] = {&arrived_, number};
  Fill(now, verdicts);
  if (arrived_.size() > config_.waiting_max) SendAway(std::prev(arrived_.end()), now, verdicts);
  return verdicts;
}

std::vector<Admission::Verdict> Admission::AwaitSync(Id id, absl::Duration now) {
  std::vector<Verdict> verdicts;
  resyncs_[++last_number_] = {id, "", absl::InfiniteDuration()};
  lines_[id] = {&resyncs_, last_number_};
  Fill(now, verdicts);
  return verdicts;
}

void Admission::Begin(Id id, absl::Duration now) {
  auto place = places_.find(id);
  if (place == places_.end() || place->second.begun) return;
  place->second = {now, now + config_.sync_max, true};
}

std::vector<Admission::Verdict> Admission::Leave(Id id, absl::Duration now) {
  std::vector<Verdict> verdicts;
  auto place = places_.find(id);
  if (place != places_.end()) GiveUpPlace(place, now);
  auto where = lines_.find(id);
  if (where != lines_.end()) {
    const auto [line, number] = where->second;
    // It may only have lost its connection.
    const std::string node = std::move(line->at(number).node);
    line->erase(number);
    lines_.erase(where);
    if (!node.empty()) KeepTicket(node, number, now);
  }
  Fill(now, verdicts);
  return verdicts;
}

std::vector<Admission::Verdict> Admission::Tick(absl::Duration now) {
  std::vector<Verdict> verdicts;
  DropOldTickets(now);
  for (auto it = places_.begin(); it != places_.end();) {
    auto place = it++;
    if (place->second.until > now) continue;
    if (place->second.begun) ++overruns_;
    GiveUpPlace(place, now);
  }
  Fill(now, verdicts);
  for (auto it = arrived_.begin(); it != arrived_.end();) {
    auto waiting = it++;
    if (waiting->second.until <= now) SendAway(waiting, now, verdicts);
  }
  return verdicts;
}

void Admission::GiveUpPlace(std::map<Id, Place>::iterator place, absl::Duration now) {
  if (place->second.begun) {
    sync_mean_ += (now - place->second.since - sync_mean_) * kMeanWeight;
  }
  places_.erase(place);
}

void Admission::Fill(absl::Duration now, std::vector<Verdict>& verdicts) {
  while (places_.size() < config_.syncs_max && waiting() != 0) {
    const bool resync = arrived_.empty() ||
                        (!resyncs_.empty() && resyncs_.begin()->first < arrived_.begin()->first);
    Line& line = resync ? resyncs_ : arrived_;
    const Id id = line.begin()->second.id;
    line.erase(line.begin());
    lines_.erase(id);
    places_[id] = {now, now + (resync ? config_.sync_max : config_.subscribe_max)};
    verdicts.push_back({id, true, absl::ZeroDuration()});
  }
}

void Admission::SendAway(Line::iterator waiting, absl::Duration now,
                         std::vector<Verdict>& verdicts) {
  const Number number = waiting->first;
  const Id id = waiting->second.id;
  KeepTicket(waiting->second.node, number, now);
  arrived_.erase(waiting);
  lines_.erase(id);
  verdicts.push_back({id, false, RetryAfter(number)});
}

// About when it is the turn of `number`, if nobody who is before it stays away.
absl::Duration Admission::RetryAfter(Number number) {
  Number first = number;
  if (!ticket_numbers_.empty()) first = std::min(first, *ticket_numbers_.begin());
  if (!arrived_.empty()) first = std::min(first, arrived_.begin()->first);
  // Numbers of which many are through by now, and that many in all: the truth is below both.
  const uint64_t ahead = std::min<uint64_t>(number - first, tickets() + arrived_.size());
  const absl::Duration wait =
      sync_mean_ * static_cast<double>(ahead) / static_cast<double>(config_.syncs_max);
  std::uniform_real_distribution<double> jitter(1 - kJitter, 1 + kJitter);
  return std::clamp(wait, kRetryMin, kRetryMax) * jitter(random_);
}

// ---- tickets ----

void Admission::KeepTicket(const std::string& node, Number number, absl::Duration now) {
  TakeTicket(node);
  if (tickets_.size() >= config_.tickets_max) return;
  tickets_[node] = {number, now + kTicketLife};
  ticket_numbers_.insert(number);
  ticket_ends_.emplace(now + kTicketLife, node);
}

std::optional<Admission::Number> Admission::TakeTicket(std::string node) {
  auto ticket = tickets_.find(node);
  if (ticket == tickets_.end()) return std::nullopt;
  const Ticket taken = ticket->second;
  tickets_.erase(ticket);
  ticket_numbers_.erase(taken.number);
  ticket_ends_.erase({taken.until, std::move(node)});
  return taken.number;
}

void Admission::DropOldTickets(absl::Duration now) {
  while (!ticket_ends_.empty() && ticket_ends_.begin()->first <= now) {
    TakeTicket(ticket_ends_.begin()->second);
  }
}

}  // namespace skerry::cloudhub
