// Which of the connections that wait for their TLS handshake is next.
#ifndef SKERRY_SERVICES_LIB_RPC_HANDSHAKE_QUEUE_H_
#define SKERRY_SERVICES_LIB_RPC_HANDSHAKE_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace skerry::rpc {

// A handshake costs milliseconds of CPU: all at once, none is done before its client gives up. So a
// bounded number is under way at a time; addresses take turns, and none has more than three
// quarters of anything, so that a flood from one address is before nobody but itself. An address
// that dials in vain again and again is paced; not refused, for others may be behind it. Pure; one
// thread at a time.
class HandshakeQueue {
 public:
  using Id = uint64_t;
  struct Config {
    size_t handshakes_max = 64;
    size_t waiting_max = 1024;
    // A handshake of which no more is heard counts no longer than that.
    absl::Duration handshake_max = absl::Seconds(2);
    // Faults of an address that are no more than that, and forgotten at so many a second, are those
    // of many clients on bad links.
    double faults_max = 50;
    double faults_forgotten = 5;
    // Addresses of which account is kept; of further ones when those of others are forgotten.
    size_t faulty_max = 4096;
    // Beyond, its handshakes begin so far apart, until there was no fault for paced_for.
    absl::Duration paced_gap = absl::Milliseconds(50);
    absl::Duration paced_for = absl::Seconds(10);
  };

  explicit HandshakeQueue(const Config& config) : config_(config) {}

  // No more is to be accepted.
  bool full() const { return places_.size() - under_way_ >= config_.waiting_max; }
  // False: too many of this address wait already, it does not get in.
  bool Add(Id id, const std::string& address);
  // Whose handshake may begin now; from then on it is under way.
  std::optional<Id> Next(absl::Duration now);
  // Its handshake is done, or it is gone, waiting or under way.
  void Remove(Id id);
  // A handshake that came to nothing, or one whose client was refused for what it does.
  void Fault(const std::string& address, absl::Duration now);
  // Those under way that no longer count; they are removed.
  std::vector<Id> Overdue(absl::Duration now);

  size_t waiting() const { return places_.size() - under_way_; }
  size_t under_way() const { return under_way_; }
  // Addresses that are paced now.
  size_t Paced(absl::Duration now);

 private:
  struct Address {
    std::deque<Id> waiting;
    size_t under_way = 0;
  };
  struct Place {
    std::string address;
    std::optional<absl::Duration> until;  // Of one that is under way.
  };

  struct Faults {
    double count = 0;
    absl::Duration last;
  };
  struct Pace {
    absl::Duration until;
    absl::Duration next = -absl::InfiniteDuration();
  };

  double Left(const Faults& faults, absl::Duration now) const;
  Faults* FaultsOf(const std::string& address, absl::Duration now);

  const Config config_;
  std::map<std::string, Address> addresses_;  // With something that waits or is under way.
  std::map<std::string, Faults> faults_;      // At most faulty_max.
  std::map<std::string, Pace> paced_;         // Of those.
  std::list<std::string> turns_;              // Addresses with something that waits.
  std::map<Id, Place> places_;
  size_t under_way_ = 0;
};

}  // namespace skerry::rpc

#endif  // SKERRY_SERVICES_LIB_RPC_HANDSHAKE_QUEUE_H_
