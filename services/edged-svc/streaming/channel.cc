#include "services/edged-svc/streaming/channel.h"

#include <utility>

#include "services/lib/pipe/byte_stream.h"

namespace skerry::edged {

void ChannelInput::Put(std::string bytes) {
  if (ended_ || discarding_) return;
  buffer_ += bytes;
  Deliver();
}

void ChannelInput::End() {
  if (std::exchange(ended_, true)) return;
  Deliver();
}

void ChannelInput::Fail(absl::Status status) {
  if (ended_) return;
  ended_ = true;
  buffer_.clear();
  status_ = std::move(status);
  Deliver();
}

void ChannelInput::Read(Channel::ReadDone done) {
  read_ = std::move(done);
  Deliver();
}

void ChannelInput::Discard() {
  discarding_ = true;
  buffer_.clear();
  Deliver();
}

void ChannelInput::Deliver() {
  if (!read_ || (buffer_.empty() && !ended_ && !discarding_)) return;
  Channel::ReadDone read = std::exchange(read_, nullptr);
  if (buffer_.empty()) {
    if (!status_.ok()) return read(status_);
    return read(std::string());
  }
  std::string chunk;
  if (buffer_.size() <= pipe::ByteStream::kChunkBytesMax) {
    chunk = std::exchange(buffer_, "");
  } else {
    chunk = buffer_.substr(0, pipe::ByteStream::kChunkBytesMax);
    buffer_.erase(0, chunk.size());
  }
  read(std::move(chunk));
}

}  // namespace skerry::edged
