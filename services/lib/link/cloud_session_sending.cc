// What a CloudSession sends when: large frames in chunks, subscriptions in turns.
#include <optional>
#include <utility>

#include "services/lib/link/cloud_session.h"
#include "services/lib/link/frame_bytes.h"

namespace skerry::link {

void CloudSession::SendRanked(Rank rank, const std::string& flow, CloudFrame frame, bool whole) {
  // Part of a Secret may be chosen by those who may not read the rest (link-13.5).
  if (compress_ && flow != SyncFlow("secrets")) frame = Compress(rank, std::move(frame));
  if (const auto* compressed = std::get_if<Compressed>(&frame))
    Emit(BytesOf(*compressed, /*sent=*/true));
  if (whole && FrameBytes(frame) <= kChunkBytesMax && !chunks_.Holds(flow))
    return Send(std::move(frame));
  chunks_.Add(rank, flow, Serialize(std::move(frame)));
}

CloudSession::SubscriptionIterator CloudSession::NextToSend() {
  auto it = subscriptions_.upper_bound(turn_);
  for (size_t i = 0; i < subscriptions_.size(); ++i, ++it) {
    if (it == subscriptions_.end()) it = subscriptions_.begin();
    const size_t bytes = it->second.sender.next_bytes();
    if (bytes == 0 || chunks_.Holds(SyncFlow(it->first))) continue;
    // One large object at a time: the others are better kept where newer versions replace them.
    if (bytes <= kChunkBytesMax || chunks_.frames(Rank::kSync) == 0) return it;
  }
  return subscriptions_.end();
}

void CloudSession::Pump() {
  while (phase_ == Phase::kOpen) {
    const SubscriptionIterator next = NextToSend();
    const std::optional<Rank> chunk = chunks_.First();
    // Chunks and changes take turns, so that what is small passes what is large.
    const bool chunk_first = chunk.has_value() && (next == subscriptions_.end() || !chunk_sent_);
    const bool others = chunk_first || next != subscriptions_.end();
    const bool tunnel = tunnels_.paced() && tunnels_.Ready();
    const bool command = CommandReady();
    if (!others && !tunnel && !command) return;
    if (transport_bytes_ >= config_.transport_bytes_max) {
      if (!std::exchange(draining_, true)) Emit(cloud::AwaitDrained{});
      return;
    }
    if (!budget_.Open(now_)) {
      if (budget_.Wait(now_)) Count(cloud::Incident::kDeferred);
      return;
    }
    budget_.StopWaiting(now_);
    if (command) AskForCommand();
    if (!others && !tunnel) return;
    tunnel_sent_ = tunnel && (!others || !tunnel_sent_);
    if (tunnel_sent_) {
      tunnels_.SendNext();
      EmitTunnels();
      continue;
    }
    chunk_sent_ = chunk_first;
    if (chunk_first) {
      Send(chunks_.Next(*chunk));
    } else {
      turn_ = next->first;
      SendRanked(Rank::kSync, SyncFlow(turn_), *next->second.sender.Next());
    }
  }
}

void CloudSession::On(cloud::Drained) {
  draining_ = false;
  transport_bytes_ = 0;
  tunnels_.Drained();
  Pump();
  FlushTunnels();
}

void CloudSession::Receive(Chunk frame) {
  absl::StatusOr<std::optional<std::string>> bytes = received_chunks_.Receive(frame);
  if (!bytes.ok()) return Fail(bytes.status());
  if (!bytes->has_value()) return;
  absl::StatusOr<EdgeFrame> complete = ParseEdgeFrame(**bytes);
  if (!complete.ok()) return Fail(complete.status());
  std::visit([this](auto& part) { Receive(std::move(part)); }, *complete);
}

void CloudSession::Receive(const Compressed& frame) {
  if (!config_.compression) return Fail(Violation("link-13.2", "compression was not accepted"));
  absl::StatusOr<EdgeFrame> plain = UncompressEdgeFrame(frame);
  if (!plain.ok()) return Fail(plain.status());
  Emit(BytesOf(frame, /*sent=*/false));
  std::visit([this](auto& part) { Receive(std::move(part)); }, *plain);
}

}  // namespace skerry::link
