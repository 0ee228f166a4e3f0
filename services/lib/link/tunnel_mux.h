// One end of all tunnels of a session: credit, turns, ends.
#ifndef SKERRY_SERVICES_LIB_LINK_TUNNEL_MUX_H_
#define SKERRY_SERVICES_LIB_LINK_TUNNEL_MUX_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/lib/link/frames.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::link {

// Rules link-8.3 to link-8.8, which are the same at both ends. Tunnels take turns, one frame each,
// and only while little tunnel data is unsent in the transport: nothing else on the link waits for
// more than that. What users may have queued is theirs to bound (tunnel::Taken). A part of a
// session: used by its thread.
class TunnelMux {
 public:
  // From now on data goes out by SendNext alone, in frames no larger than a chunk.
  void Pace() { paced_ = true; }
  bool paced() const { return paced_; }
  // There is data that may go out by SendNext.
  bool Ready() { return unsent_bytes_ < kTunnelUnsentBytesMax && NextSender() != tunnels_.end(); }
  // One frame of the next in turn. Only where Ready.
  void SendNext();

  // A tunnel of this id, greater than any before. Until it is accepted neither end says anything.
  void Add(uint64_t id, uint64_t send_credit);
  // It is accepted here.
  void Accept(uint64_t id);
  bool Has(uint64_t id) const { return tunnels_.count(id) != 0; }
  bool Full() const { return tunnels_.size() >= kTunnelsMax; }
  uint64_t last_id() const { return last_id_; }
  size_t size() const { return tunnels_.size(); }

  // Of a tunnel that is over: nothing happens.
  void On(tunnel::FromUser event);
  // The transport has taken all that it was given.
  void Drained();
  // There is data that may not go out before Drained.
  bool Waiting();

  // A violation where a rule is broken; false where the tunnel is over by now.
  absl::StatusOr<bool> Receive(const TunnelAccept& frame);
  absl::StatusOr<bool> Receive(TunnelData frame);
  absl::StatusOr<bool> Receive(const TunnelCredit& frame);
  absl::StatusOr<bool> Receive(TunnelClose frame);

  // Ends one without a word to its user.
  void Close(uint64_t id, absl::Status status);
  // The session is over: users are told, and ids count from the start again.
  void EndAll(const absl::Status& status);

  // Hands out what came of the calls since the last time, in order: frames to `send`, messages to
  // `tell`.
  template <typename Send, typename Tell>
  void Flush(Send send, Tell tell) {
    for (Output& output : std::exchange(output_, {})) {
      std::visit(
          [&](auto& item) {
            if constexpr (std::is_same_v<decltype(item), tunnel::ToUser&>) {
              tell(std::move(item));
            } else {
              send(std::move(item));
            }
          },
          output);
    }
  }

 private:
  using Output = std::variant<TunnelData, TunnelCredit, TunnelClose, tunnel::ToUser>;
  struct Tunnel {
    std::deque<std::string> queue;
    size_t offset = 0;  // Of the first of the queue: what went out of it.
    uint64_t send_credit = 0;
    uint64_t receive_credit = kTunnelWindowBytes;
    uint64_t consumed = 0;  // Not given back yet.
    bool accepted = false;
    bool half_closed = false;  // By the user; the peer is told after the queue.
    bool half_close_sent = false;
    bool peer_half_closed = false;
  };
  using Iterator = std::map<uint64_t, Tunnel>::iterator;

  // The tunnel that a frame is for; end() where it is over by now.
  absl::StatusOr<Iterator> Find(uint64_t id);
  // The same, for frames that come after Accept.
  absl::StatusOr<Iterator> FindAccepted(uint64_t id);
  void FromUser(Iterator it, tunnel::Bytes body);
  void FromUser(Iterator it, tunnel::Consumed body);
  void FromUser(Iterator it, tunnel::HalfClose body);
  void FromUser(Iterator it, tunnel::End body);
  template <typename Body>
  void ToUser(uint64_t id, Body body) {
    output_.push_back(tunnel::ToUser{id, std::move(body)});
  }
  void Pump();
  // The next in turn that has data and credit.
  Iterator NextSender();
  void SendOne(Iterator it);
  void HalfCloseIfDone(Iterator it);
  void EndIfBothClosed(Iterator it);

  std::map<uint64_t, Tunnel> tunnels_;
  uint64_t last_id_ = 0;
  uint64_t turn_ = 0;        // Who sent last.
  size_t unsent_bytes_ = 0;  // In the transport, at most.
  bool paced_ = false;
  std::vector<Output> output_;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_TUNNEL_MUX_H_
