// Frames in pieces: what is large goes in chunks, between which the rest passes.
#ifndef SKERRY_SERVICES_LIB_LINK_CHUNKS_H_
#define SKERRY_SERVICES_LIB_LINK_CHUNKS_H_

#include <cstddef>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/lib/link/frames.h"

namespace skerry::link {

// The flow of the frames of a subscription.
inline std::string SyncFlow(const std::string& type) { return "sync " + type; }

// Frames that wait to be sent in chunks, in order within their rank. A flow is what may not
// overtake itself: the events of a stream, the reports of a type. A part of a session: used by its
// thread.
class ChunkSender {
 public:
  void Add(Rank rank, absl::string_view flow, std::string frame);
  // A frame of the flow waits or is under way: what follows in the flow goes behind it.
  bool Holds(absl::string_view flow) const;
  size_t frames(Rank rank) const;
  size_t bytes() const { return bytes_; }
  // The most urgent that has something.
  std::optional<Rank> First() const;
  // The next of this rank, which has something.
  Chunk Next(Rank rank);
  // The session is over.
  void Clear();

 private:
  struct Frame {
    std::string flow;
    std::string bytes;
    size_t sent = 0;
  };
  std::map<Rank, std::list<Frame>> frames_;  // Of ranks that have some.
  size_t bytes_ = 0;
};

// Puts frames together again. A part of a session: used by its thread.
class ChunkReceiver {
 public:
  // The serialized frame, when this chunk completes it.
  absl::StatusOr<std::optional<std::string>> Receive(const Chunk& chunk);
  void Clear();

 private:
  std::map<Rank, std::string> frames_;  // Incomplete ones.
  size_t bytes_ = 0;
};

}  // namespace skerry::link

#endif  // SKERRY_SERVICES_LIB_LINK_CHUNKS_H_
