#include "services/edged-svc/streaming/stream_connection.h"

#include <utility>

namespace skerry::edged {

void StreamConnection::Read() {
  if (reading_ || taking_ || ended_) return;
  const Held held = HeldInput();
  if (held.most > kChannelBytesMax || held.all > kInputBytesMax || output_.size() > kOutputBytesMax)
    return;
  reading_ = true;
  stream_->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
    self->strand_.Run([self, bytes = std::move(bytes)] {
      self->reading_ = false;
      self->chunks_.fetch_add(1, std::memory_order_relaxed);
      if (self->ended_) return;
      // Who leaves without a word leaves all the same.
      if (!bytes.ok() || bytes->empty()) return self->End(bytes.status());
      self->taking_ = true;
      absl::Status taken = self->Take(*bytes);
      self->taking_ = false;
      if (!taken.ok()) return self->End(std::move(taken));
      self->Read();
    });
  });
}

void StreamConnection::Send(std::string bytes, Channel::WriteDone done) {
  if (ended_) {
    if (done) done(absl::CancelledError("the connection has ended"));
    return;
  }
  queued_bytes_ += bytes.size();
  output_ += bytes;
  if (done) waiting_.push_back({queued_bytes_, std::move(done)});
  WriteNext();
}

void StreamConnection::WriteNext() {
  if (writing_ || closed_) return;
  if (output_.empty()) {
    if (ended_) Close(absl::OkStatus());
    return;
  }
  std::string chunk;
  if (output_.size() <= pipe::ByteStream::kChunkBytesMax) {
    chunk = std::exchange(output_, "");
  } else {
    chunk = output_.substr(0, pipe::ByteStream::kChunkBytesMax);
    output_.erase(0, chunk.size());
  }
  writing_ = true;
  const size_t size = chunk.size();
  stream_->Write(std::move(chunk), [self = shared_from_this(), size](absl::Status status) {
    self->strand_.Run([self, size, status = std::move(status)] { self->Wrote(size, status); });
  });
}

void StreamConnection::Wrote(size_t bytes, absl::Status status) {
  writing_ = false;
  if (!status.ok()) {
    output_.clear();
    if (ended_) return Close(std::move(status));
    return End(std::move(status));
  }
  chunks_.fetch_add(1, std::memory_order_relaxed);
  written_bytes_ += bytes;
  while (!waiting_.empty() && waiting_.front().upto <= written_bytes_) {
    Channel::WriteDone done = std::move(waiting_.front().done);
    waiting_.pop_front();
    done(absl::OkStatus());
  }
  WriteNext();
  Read();
}

void StreamConnection::End(absl::Status status) {
  if (ended_) return;
  const auto self = shared_from_this();  // Callbacks may drop the last other one.
  // What the peer did wrong it is told.
  const bool in_order = status.ok() || absl::IsInvalidArgument(status);
  if (in_order) output_ += Farewell(status);
  ended_ = true;
  const absl::Status why = status.ok() ? absl::CancelledError("the connection has ended") : status;
  for (Written& written : std::exchange(waiting_, {})) written.done(why);
  FailChannels(why);
  on_leave_ = nullptr;
  if (on_ended_) std::exchange(on_ended_, nullptr)(status);
  if (in_order) return WriteNext();
  output_.clear();
  Close(std::move(status));
}

void StreamConnection::Leave(absl::Status status) {
  if (ended_) return;
  if (on_leave_) return std::exchange(on_leave_, nullptr)(std::move(status));
  End(std::move(status));
}

void StreamConnection::Abort() {
  End(absl::CancelledError("the connection was cut"));
  output_.clear();
  Close(absl::CancelledError("the connection was cut"));
}

void StreamConnection::Close(absl::Status status) {
  if (std::exchange(closed_, true)) return;
  stream_->Close(std::move(status));
  if (on_closed_) std::exchange(on_closed_, nullptr)();
}

}  // namespace skerry::edged
