#include "services/lib/http/queued_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::http {

QueuedStream::QueuedStream(size_t pending_bytes_max, bool chunked, std::function<void()> wake)
    : pending_bytes_max_(pending_bytes_max), chunked_(chunked), wake_(std::move(wake)) {}

bool QueuedStream::Write(std::string chunk) {
  bool wake = false;
  bool accepted = false;
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || ended_ || cut_) return false;
    if (chunk.empty()) return true;  // An empty chunk would end the answer.
    if (pending_bytes_ + chunk.size() > pending_bytes_max_) {
      cut_ = true;
      queue_.clear();
    } else {
      pending_bytes_ += chunk.size();
      queue_.push_back(std::move(chunk));
      accepted = true;
    }
    wake = !std::exchange(woken_, true);
  }
  if (wake) wake_();
  return accepted;
}

bool QueuedStream::HasRoom() const {
  absl::MutexLock lock(&mutex_);
  return Roomy();
}

void QueuedStream::WhenRoom(std::function<void()> callback) {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_) return;
    if (!Roomy()) {
      on_room_ = std::move(callback);
      return;
    }
  }
  callback();
}

void QueuedStream::End() {
  {
    absl::MutexLock lock(&mutex_);
    if (closed_ || ended_ || cut_) return;
    ended_ = true;
    if (std::exchange(woken_, true)) return;
  }
  wake_();
}

size_t QueuedStream::pending_bytes() const {
  absl::MutexLock lock(&mutex_);
  return pending_bytes_;
}

void QueuedStream::OnClosed(std::function<void()> callback) {
  {
    absl::MutexLock lock(&mutex_);
    if (!closed_) {
      on_closed_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

QueuedStream::Batch QueuedStream::Take(size_t bytes_max) {
  absl::MutexLock lock(&mutex_);
  woken_ = false;
  Batch batch;
  batch.cut = cut_;
  while (!queue_.empty() &&
         (batch.wire.empty() || batch.wire.size() + queue_.front().size() <= bytes_max)) {
    const std::string& chunk = queue_.front();
    batch.payload_bytes += chunk.size();
    if (chunked_) {
      absl::StrAppend(&batch.wire, absl::Hex(chunk.size()), "\r\n", chunk, "\r\n");
    } else {
      batch.wire += chunk;
    }
    queue_.pop_front();
  }
  if (ended_ && queue_.empty() && !end_taken_) {
    end_taken_ = true;
    batch.last = true;
    if (chunked_) batch.wire += "0\r\n\r\n";
  }
  return batch;
}

void QueuedStream::Written(size_t payload_bytes) {
  std::function<void()> on_room;
  {
    absl::MutexLock lock(&mutex_);
    pending_bytes_ -= payload_bytes;
    if (Roomy()) on_room.swap(on_room_);
  }
  if (on_room) on_room();
}

void QueuedStream::Close() {
  std::vector<std::function<void()>> callbacks;
  std::function<void()> dropped;  // What it keeps is let go without the lock.
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(closed_, true)) return;
    dropped.swap(on_room_);
    queue_.clear();
    pending_bytes_ = 0;
    callbacks.swap(on_closed_);
  }
  for (const std::function<void()>& callback : callbacks) callback();
}

}  // namespace skerry::http
