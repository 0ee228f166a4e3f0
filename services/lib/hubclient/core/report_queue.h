// Reports on their way to the hub: the newest of each key, one of a key under way at a time.
#ifndef SKERRY_SERVICES_LIB_HUBCLIENT_CORE_REPORT_QUEUE_H_
#define SKERRY_SERVICES_LIB_HUBCLIENT_CORE_REPORT_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"

namespace skerry::hubclient {

struct Report {
  std::string type;
  std::string key;
  int64_t generation = 0;
  std::string value;
  absl::AnyInvocable<void(absl::Status status)> done;  // Whoever takes the report out calls it.

  size_t bytes() const { return type.size() + key.size() + value.size() + 256; }
};

// True where the hub will never take it; else it goes again after a pause.
bool IsRefusedForGood(const absl::Status& status);

// Keys go in the order in which they began to wait. One thread uses it; who hands in bounds it.
class ReportQueue {
 public:
  struct Sent {
    uint64_t request_id;
    const Report& report;  // Until the queue is used again.
  };
  enum class Verdict {
    kStored,
    kRefused,  // For good.
    kRetry,    // It waits again, unless a newer one does. Nothing is sent until Resume().
    kUnknown,  // Not under way.
  };
  struct Answer {
    Verdict verdict = Verdict::kUnknown;
    std::optional<Report> report;  // That has ended; with kRetry: because a newer one waits.
  };

  explicit ReportQueue(size_t in_flight_max) : in_flight_max_(in_flight_max) {}

  // What waited of the key, and is replaced.
  std::optional<Report> Put(Report report);
  // The next one; under way from now on. None while paused, or when too many are.
  std::optional<Sent> Next();
  Answer Answered(uint64_t request_id, const absl::Status& status);
  void Resume() { paused_ = false; }
  // Nobody will answer what is under way: it waits again, but for what a newer one replaces, which
  // is returned.
  std::vector<Report> Detach();
  // Everything.
  std::vector<Report> Clear();

  size_t in_flight() const { return in_flight_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  using Name = std::pair<std::string, std::string>;  // Type and key.
  struct Entry {
    std::optional<Report> waiting;
    std::optional<Report> under_way;
  };

  // The report under way of `name` waits again, or is returned.
  std::optional<Report> WaitAgain(const Name& name);

  const size_t in_flight_max_;
  bool paused_ = false;
  uint64_t last_request_ = 0;
  std::map<Name, Entry> entries_;
  std::deque<Name> order_;  // Those with something that waits, and nothing under way.
  std::map<uint64_t, Name> in_flight_;
};

}  // namespace skerry::hubclient

#endif  // SKERRY_SERVICES_LIB_HUBCLIENT_CORE_REPORT_QUEUE_H_
