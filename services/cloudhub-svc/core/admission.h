// Which nodes are let in when, and how many bring themselves up to date at a time.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_CORE_ADMISSION_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_CORE_ADMISSION_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace skerry::cloudhub {

// Rules link-11.1 to link-11.4. A full sync takes a place; where none is free, nodes wait for one,
// connected, in the order in which they came first; beyond a bound they are sent away with a
// ticket, which keeps that order. Pure: no clock, no lock. `now` is monotonic.
class Admission {
 public:
  using Id = uint64_t;  // What asks for a place: one connection. Not 0, and used once.
  struct Config {
    size_t syncs_max = 256;
    size_t waiting_max = 512;                         // Of those that are not let in yet.
    size_t tickets_max = 1 << 16;                     // Beyond, who is sent away loses its order.
    absl::Duration subscribe_max = absl::Seconds(1);  // A place is kept for one that syncs nothing.
    absl::Duration sync_max = absl::Seconds(10);      // ... and for one that never gets done.
    absl::Duration wait_max = absl::Seconds(5);       // With its dial, well below the edge's 15 s.
    uint64_t seed = 0;                                // Of the jitter.
  };
  // It is the turn of `id`, or a node that is not let in is to dial again after `retry_after`.
  struct Verdict {
    Id id = 0;
    bool admitted = false;
    absl::Duration retry_after;

    bool operator==(const Verdict&) const = default;
  };

  explicit Admission(const Config& config) : config_(config), random_(config.seed) {}

  // A node asks to be let in. Every function returns what it decides, for whomever.
  std::vector<Verdict> Arrive(Id id, const std::string& node, absl::Duration now);
  // A node that has a session is to sync anew: it takes its turn, and is never sent away.
  std::vector<Verdict> AwaitSync(Id id, absl::Duration now);
  // One that was let in has begun.
  void Begin(Id id, absl::Duration now);
  // It has synced, or is gone. No harm if it has no place any more.
  std::vector<Verdict> Leave(Id id, absl::Duration now);
  // A few times a second, while there is something to wait for.
  std::vector<Verdict> Tick(absl::Duration now);

  bool HasPlace(Id id) const { return places_.count(id) != 0; }
  size_t syncs() const { return places_.size(); }
  size_t waiting() const { return arrived_.size() + resyncs_.size(); }
  size_t tickets() const { return tickets_.size(); }
  // Places that were taken back from syncs which were not done in time.
  uint64_t overruns() const { return overruns_; }

 private:
  using Number = uint64_t;  // The order: who came first has the smaller one.
  struct Place {
    absl::Duration since;
    absl::Duration until;
    bool begun = false;
  };
  struct Waiting {
    Id id = 0;
    std::string node;  // Empty for a session.
    absl::Duration until;
  };
  using Line = std::map<Number, Waiting>;
  struct Ticket {
    Number number = 0;
    absl::Duration until;
  };

  void GiveUpPlace(std::map<Id, Place>::iterator place, absl::Duration now);
  // Lets in whom there is room for.
  void Fill(absl::Duration now, std::vector<Verdict>& verdicts);
  void SendAway(Line::iterator waiting, absl::Duration now, std::vector<Verdict>& verdicts);
  void KeepTicket(const std::string& node, Number number, absl::Duration now);
  std::optional<Number> TakeTicket(std::string node);
  void DropOldTickets(absl::Duration now);
  absl::Duration RetryAfter(Number number);

  const Config config_;
  std::mt19937_64 random_;
  Number last_number_ = 0;
  std::map<Id, Place> places_;
  Line arrived_;
  Line resyncs_;
  std::map<Id, std::pair<Line*, Number>> lines_;  // Where each one waits.
  std::map<std::string, Ticket> tickets_;
  std::set<Number> ticket_numbers_;
  std::set<std::pair<absl::Duration, std::string>> ticket_ends_;
  absl::Duration sync_mean_ = absl::Seconds(1);  // Of late.
  uint64_t overruns_ = 0;
};

}  // namespace skerry::cloudhub

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_CORE_ADMISSION_H_
