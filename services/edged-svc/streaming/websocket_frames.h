// The frames of RFC 6455 as bytes, both ways, and its handshake. Pure.
#ifndef SKERRY_SERVICES_EDGED_SVC_STREAMING_WEBSOCKET_FRAMES_H_
#define SKERRY_SERVICES_EDGED_SVC_STREAMING_WEBSOCKET_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace skerry::edged::websocket {

enum class Opcode : uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

// What is there of a message; control frames come whole, between the pieces of others.
struct Piece {
  Opcode opcode = Opcode::kBinary;  // The message's: never kContinuation.
  bool first = true, last = true;   // Of its message.
  std::string bytes;                // May be none.
};

enum class From { kClient, kServer };  // Clients mask what they send.

// Not thread-safe. Holds what was put and not yet taken, never a whole message.
class FrameReader {
 public:
  explicit FrameReader(From from) : from_(from) {}

  void Put(absl::string_view bytes);
  // nullopt: it takes more bytes. An error (WEBSOCKET_FRAME_INVALID) is the end of the connection.
  absl::StatusOr<std::optional<Piece>> Next();

 private:
  struct Frame {
    Opcode opcode = Opcode::kBinary;
    bool end = true;  // Of the message.
    bool masked = false;
    uint8_t mask[4] = {};
    uint64_t left = 0;
    uint64_t taken = 0;
  };

  absl::StatusOr<bool> Head();  // False: it takes more bytes.
  Piece TakePiece();

  const From from_;
  std::string buffer_;
  size_t begin_ = 0;               // Of what is not taken yet.
  std::optional<Frame> frame_;     // Whose bytes come next.
  std::optional<Opcode> message_;  // That has not ended.
  bool first_ = true;              // Nothing of it has been taken.
};

// A whole message in one frame. `mask` is what a client masks it with; a server does not.
std::string Render(Opcode opcode, absl::string_view bytes,
                   std::optional<uint32_t> mask = std::nullopt);

// The body of a close frame.
std::string CloseBody(uint16_t code, absl::string_view reason);

// Sec-WebSocket-Accept for a client's Sec-WebSocket-Key.
std::string AcceptKey(absl::string_view key);

}  // namespace skerry::edged::websocket

#endif  // SKERRY_SERVICES_EDGED_SVC_STREAMING_WEBSOCKET_FRAMES_H_
