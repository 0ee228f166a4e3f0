#include "services/edged-svc/streaming/websocket_frames.h"

#include <openssl/sha.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged::websocket {
namespace {

constexpr size_t kControlBytesMax = 125;
constexpr size_t kCloseReasonMax = kControlBytesMax - 2;

absl::Status Invalid(absl::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, absl::StrCat("not WebSocket: ", why))
      .Reason("WEBSOCKET_FRAME_INVALID");
}

bool IsControl(Opcode opcode) { return static_cast<uint8_t>(opcode) >= 8; }

bool IsKnown(uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

}  // namespace

void FrameReader::Put(absl::string_view bytes) {
  buffer_.erase(0, std::exchange(begin_, 0));
  buffer_.append(bytes.data(), bytes.size());
}

absl::StatusOr<std::optional<Piece>> FrameReader::Next() {
  if (!frame_.has_value()) {
    SKERRY_ASSIGN_OR_RETURN(const bool there, Head());
    if (!there) return std::optional<Piece>();
  }
  const size_t here = buffer_.size() - begin_;
  const bool whole = here >= frame_->left;
  if (IsControl(frame_->opcode) ? !whole : (here == 0 && frame_->left > 0))
    return std::optional<Piece>();
  return std::optional<Piece>(TakePiece());
}

absl::StatusOr<bool> FrameReader::Head() {
  const absl::string_view rest = absl::string_view(buffer_).substr(begin_);
  if (rest.size() < 2) return false;
  const auto byte = [&](size_t at) { return static_cast<uint8_t>(rest[at]); };
  const uint8_t opcode = byte(0) & 0xf;
  if ((byte(0) & 0x70) != 0) return Invalid("a frame of an extension");
  if (!IsKnown(opcode)) return Invalid(absl::StrCat("a frame of kind ", opcode));
  Frame frame{.opcode = static_cast<Opcode>(opcode),
              .end = (byte(0) & 0x80) != 0,
              .masked = (byte(1) & 0x80) != 0,
              .left = byte(1) & uint64_t{0x7f}};
  if (frame.masked != (from_ == From::kClient))
    return Invalid("clients mask their frames, servers do not");
  if (IsControl(frame.opcode) && (frame.left > kControlBytesMax || !frame.end))
    return Invalid("a control frame of more than 125 bytes, or in parts");
  if (!IsControl(frame.opcode) && (frame.opcode == Opcode::kContinuation) != message_.has_value())
    return Invalid("a message within a message, or the rest of none");
  const size_t length = frame.left == 126 ? 2 : frame.left == 127 ? 8 : 0;
  const size_t size = 2 + length + (frame.masked ? 4 : 0);
  if (rest.size() < size) return false;
  if (length > 0) frame.left = 0;
  for (size_t i = 2; i < 2 + length; ++i) frame.left = frame.left << 8 | byte(i);
  if (frame.left >> 63 != 0) return Invalid("a frame of more than 2^63 bytes");
  if (frame.masked) {
    for (size_t i = 0; i < 4; ++i) frame.mask[i] = byte(size - 4 + i);
  }
  begin_ += size;
  if (!IsControl(frame.opcode) && frame.opcode != Opcode::kContinuation) {
    message_ = frame.opcode;
    first_ = true;
  }
  frame_ = frame;
  return true;
}

Piece FrameReader::TakePiece() {
  Frame& frame = *frame_;
  const size_t size = static_cast<size_t>(std::min<uint64_t>(frame.left, buffer_.size() - begin_));
  Piece piece{.bytes = buffer_.substr(begin_, size)};
  begin_ += size;
  if (frame.masked) {
    for (size_t i = 0; i < size; ++i) {
      piece.bytes[i] = static_cast<char>(static_cast<uint8_t>(piece.bytes[i]) ^
                                         frame.mask[(frame.taken + i) % 4]);
    }
  }
  frame.taken += size;
  frame.left -= size;
  const bool done = frame.left == 0;
  if (IsControl(frame.opcode)) {
    piece.opcode = frame.opcode;
  } else {
    piece.opcode = *message_;
    piece.first = std::exchange(first_, false);
    piece.last = done && frame.end;
    if (piece.last) message_.reset();
  }
  if (done) frame_.reset();
  return piece;
}

std::string Render(Opcode opcode, absl::string_view bytes, std::optional<uint32_t> mask) {
  std::string frame;
  frame.reserve(bytes.size() + 14);
  frame.push_back(static_cast<char>(0x80 | static_cast<uint8_t>(opcode)));
  const uint8_t masked = mask.has_value() ? 0x80 : 0;
  const auto append = [&](uint64_t number, size_t size) {
    for (size_t i = size; i-- > 0;) frame.push_back(static_cast<char>(number >> (8 * i)));
  };
  if (bytes.size() < 126) {
    append(masked | bytes.size(), 1);
  } else if (bytes.size() < 1u << 16) {
    append(masked | 126u, 1);
    append(bytes.size(), 2);
  } else {
    append(masked | 127u, 1);
    append(bytes.size(), 8);
  }
  if (!mask.has_value()) return frame.append(bytes.data(), bytes.size());
  append(*mask, 4);
  for (size_t i = 0; i < bytes.size(); ++i) {
    frame.push_back(static_cast<char>(static_cast<uint8_t>(bytes[i]) ^
                                      static_cast<uint8_t>(*mask >> (24 - 8 * (i % 4)))));
  }
  return frame;
}

std::string CloseBody(uint16_t code, absl::string_view reason) {
  std::string body = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  absl::StrAppend(&body, reason.substr(0, kCloseReasonMax));
  return body;
}

std::string AcceptKey(absl::string_view key) {
  const std::string text = absl::StrCat(key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
  unsigned char hash[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash);
  return absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(hash), sizeof(hash)));
}

}  // namespace skerry::edged::websocket
