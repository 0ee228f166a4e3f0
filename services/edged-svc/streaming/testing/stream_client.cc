#include "services/edged-svc/streaming/testing/stream_client.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace skerry::edged {
namespace {

constexpr uint32_t kMask = 0x12345678;

}  // namespace

StreamClient::StreamClient(const std::string& url, absl::string_view headers) {
  const std::vector<std::string> parts = absl::StrSplit(url, absl::MaxSplits('/', 3));
  const std::vector<std::string> address = absl::StrSplit(parts.at(2), ':');
  uint32_t port = 0;
  EXPECT_TRUE(absl::SimpleAtoi(address.at(1), &port)) << url;
  std::promise<absl::StatusOr<std::shared_ptr<pipe::ByteStream>>> connected;
  connector_.Connect({.host = address[0], .port = static_cast<uint16_t>(port)}, absl::Seconds(10),
                     [&](auto stream) { connected.set_value(std::move(stream)); });
  auto stream = connected.get_future().get();
  EXPECT_TRUE(stream.ok()) << stream.status();
  stream_ = *std::move(stream);
  Send(absl::StrCat("GET /", parts.at(3), " HTTP/1.1\r\nHost: h\r\n", headers, "\r\n"));
  while (head_.find("\r\n\r\n") == std::string::npos) {
    const std::string bytes = Read();
    if (bytes.empty()) break;
    head_ += bytes;
  }
  if (const size_t end = head_.find("\r\n\r\n"); end != std::string::npos) {
    rest_ = head_.substr(end + 4);
    head_.resize(end + 2);
  }
}

StreamClient::~StreamClient() { stream_->Close(absl::OkStatus()); }

std::string StreamClient::SpdyHeaders(absl::string_view protocols) {
  return absl::StrCat(
      "Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ", protocols, "\r\n");
}

std::string StreamClient::WebSocketHeaders(absl::string_view protocols) {
  return absl::StrCat(
      "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ",
      protocols, "\r\n");
}

std::string StreamClient::Read() {
  if (!rest_.empty()) return std::exchange(rest_, "");
  std::promise<absl::StatusOr<std::string>> read;
  stream_->Read([&](absl::StatusOr<std::string> bytes) { read.set_value(std::move(bytes)); });
  return read.get_future().get().value_or("");
}

std::string StreamClient::Body() {
  std::string body;
  for (std::string bytes; !(bytes = Read()).empty();) body += bytes;
  return body;
}

void StreamClient::Send(std::string bytes) {
  std::promise<void> written;
  stream_->Write(std::move(bytes), [&](absl::Status) { written.set_value(); });
  written.get_future().get();
}

void StreamClient::SendMessage(absl::string_view bytes) {
  Send(websocket::Render(websocket::Opcode::kBinary, bytes, kMask));
}

const StreamClient::Heard& StreamClient::HearSpdy(Enough enough) {
  while (true) {
    absl::StatusOr<std::optional<spdy::Frame>> frame = spdy_.Next();
    EXPECT_TRUE(frame.ok()) << frame.status();
    if (!frame.ok()) return heard_;
    if (!frame->has_value()) {
      if (enough(heard_)) return heard_;
      const std::string bytes = Read();
      if (bytes.empty()) return heard_;
      spdy_.Put(bytes);
    } else if (const auto* data = std::get_if<spdy::Data>(&**frame)) {
      heard_.text[data->stream] += data->bytes;
      heard_.fin[data->stream] |= data->fin;
    } else if (const auto* reset = std::get_if<spdy::RstStream>(&**frame)) {
      heard_.reset[reset->stream] = reset->status;
    } else if (std::holds_alternative<spdy::GoAway>(**frame)) {
      heard_.goodbye = true;
    }
  }
}

const StreamClient::Heard& StreamClient::HearWebSocket(Enough enough) {
  while (true) {
    absl::StatusOr<std::optional<websocket::Piece>> piece = websocket_.Next();
    EXPECT_TRUE(piece.ok()) << piece.status();
    if (!piece.ok()) return heard_;
    if (!piece->has_value()) {
      if (enough(heard_)) return heard_;
      const std::string bytes = Read();
      if (bytes.empty()) return heard_;
      websocket_.Put(bytes);
    } else if ((*piece)->opcode == websocket::Opcode::kClose) {
      heard_.goodbye = true;
    } else if ((*piece)->opcode == websocket::Opcode::kBinary && !(*piece)->bytes.empty()) {
      std::string& bytes = (*piece)->bytes;
      if ((*piece)->first) {
        channel_ = static_cast<uint8_t>(bytes[0]);
        bytes.erase(0, 1);
      }
      heard_.text[channel_] += bytes;
    }
  }
}

}  // namespace skerry::edged
