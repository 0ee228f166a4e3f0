#include "services/lib/link/chunks.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/strings.h"

namespace skerry::link {

void ChunkSender::Add(Rank rank, absl::string_view flow, std::string frame) {
  bytes_ += frame.size();
  frames_[rank].push_back({std::string(flow), std::move(frame)});
}

bool ChunkSender::Holds(absl::string_view flow) const {
  for (const auto& [rank, frames] : frames_) {
    for (const Frame& frame : frames) {
      if (frame.flow == ToStd(flow)) return true;
    }
  }
  return false;
}

size_t ChunkSender::frames(Rank rank) const {
  auto it = frames_.find(rank);
  return it == frames_.end() ? 0 : it->second.size();
}

std::optional<Rank> ChunkSender::First() const {
  if (frames_.empty()) return std::nullopt;
  return frames_.begin()->first;
}

Chunk ChunkSender::Next(Rank rank) {
  auto it = frames_.find(rank);
  Frame& frame = it->second.front();
  Chunk chunk{it->first, frame.bytes.substr(frame.sent, kChunkBytesMax), false};
  frame.sent += chunk.bytes.size();
  bytes_ -= chunk.bytes.size();
  chunk.last = frame.sent == frame.bytes.size();
  if (!chunk.last) return chunk;
  it->second.pop_front();
  if (it->second.empty()) frames_.erase(it);
  return chunk;
}

void ChunkSender::Clear() {
  frames_.clear();
  bytes_ = 0;
}

absl::StatusOr<std::optional<std::string>> ChunkReceiver::Receive(const Chunk& chunk) {
  bytes_ += chunk.bytes.size();
  if (bytes_ > kChunkedBytesMax) {
    return Violation("link-12.3", absl::StrCat("frames in chunks have more than ", kChunkedBytesMax,
                                               " bytes together"));
  }
  std::string& frame = frames_[chunk.rank];
  frame += chunk.bytes;
  if (!chunk.last) return std::nullopt;
  std::optional<std::string> complete = std::move(frame);
  frames_.erase(chunk.rank);
  bytes_ -= complete->size();
  return complete;
}

void ChunkReceiver::Clear() {
  frames_.clear();
  bytes_ = 0;
}

}  // namespace skerry::link
