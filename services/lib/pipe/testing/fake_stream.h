// A byte stream whose other end is the test.
#ifndef SKERRY_SERVICES_LIB_PIPE_TESTING_FAKE_STREAM_H_
#define SKERRY_SERVICES_LIB_PIPE_TESTING_FAKE_STREAM_H_

#include <deque>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::pipe::testing {

// Any thread may call it. Writes are taken at once unless they are held.
class FakeStream final : public ByteStream {
 public:
  void Read(ReadDone done) override {
    std::optional<absl::StatusOr<std::string>> now;
    {
      absl::MutexLock lock(&mutex_);
      if (closed_.has_value()) {
        now = absl::StatusOr<std::string>(absl::CancelledError("closed"));
      } else if (!input_.empty()) {
        now = std::move(input_.front());
        input_.pop_front();
      } else {
        read_ = std::move(done);
        return;
      }
    }
    done(*std::move(now));
  }
  void Write(std::string bytes, WriteDone done) override {
    absl::Status status;
    {
      absl::MutexLock lock(&mutex_);
      if (closed_.has_value()) {
        status = absl::CancelledError("closed");
      } else {
        output_ += bytes;
        if (hold_writes_) {
          write_ = std::move(done);
          return;
        }
      }
    }
    done(std::move(status));
  }
  void Close(absl::Status status) override {
    ReadDone read;
    WriteDone write;
    {
      absl::MutexLock lock(&mutex_);
      if (!closed_.has_value()) closed_ = std::move(status);
      read = std::exchange(read_, nullptr);
      write = std::exchange(write_, nullptr);
    }
    if (read) read(absl::CancelledError("closed"));
    if (write) write(absl::CancelledError("closed"));
  }

  // What the other end says: bytes, none for its end, or an error.
  void Say(absl::StatusOr<std::string> bytes) {
    ReadDone read;
    {
      absl::MutexLock lock(&mutex_);
      if (!read_) {
        input_.push_back(std::move(bytes));
        return;
      }
      read = std::exchange(read_, nullptr);
    }
    read(std::move(bytes));
  }
  void HoldWrites() {
    absl::MutexLock lock(&mutex_);
    hold_writes_ = true;
  }
  // The write that is held is taken.
  void Take() {
    WriteDone write;
    {
      absl::MutexLock lock(&mutex_);
      write = std::exchange(write_, nullptr);
    }
    if (write) write(absl::OkStatus());
  }
  std::string output() {
    absl::MutexLock lock(&mutex_);
    return output_;
  }
  std::optional<absl::Status> closed() {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  // Waits until the stream is closed, and returns what was written.
  std::string AwaitClosed() {
    absl::MutexLock lock(&mutex_);
    const auto closed = [this]()
                            ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return closed_.has_value(); };
    mutex_.Await(absl::Condition(&closed));
    return output_;
  }
  // Waits until `text` was written.
  void AwaitOutput(const std::string& text) {
    absl::MutexLock lock(&mutex_);
    const auto there = [this, &text]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return output_.find(text) != std::string::npos;
    };
    mutex_.Await(absl::Condition(&there));
  }

 private:
  absl::Mutex mutex_;
  std::deque<absl::StatusOr<std::string>> input_ ABSL_GUARDED_BY(mutex_);
  std::string output_ ABSL_GUARDED_BY(mutex_);
  ReadDone read_ ABSL_GUARDED_BY(mutex_);
  WriteDone write_ ABSL_GUARDED_BY(mutex_);
  bool hold_writes_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::pipe::testing

#endif  // SKERRY_SERVICES_LIB_PIPE_TESTING_FAKE_STREAM_H_
