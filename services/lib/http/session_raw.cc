// The half of a session that was taken over: raw bytes both ways.
#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/http/session.h"

namespace skerry::http {
namespace {

absl::Status Ended() { return absl::CancelledError("the connection was closed"); }

class RawConnection final : public pipe::ByteStream {
 public:
  explicit RawConnection(std::shared_ptr<Session> session) : session_(std::move(session)) {}
  ~RawConnection() override { session_->RawClose(true); }

  void Read(ReadDone done) override { session_->RawRead(std::move(done)); }
  void Write(std::string bytes, WriteDone done) override {
    session_->RawWrite(std::move(bytes), std::move(done));
  }
  void Close(absl::Status status) override { session_->RawClose(!status.ok()); }

 private:
  const std::shared_ptr<Session> session_;
};

}  // namespace

template <typename Done>
class Session::RawCall {
 public:
  explicit RawCall(Done done) : done_(std::move(done)) {}
  template <typename Result>
  void operator()(Result result) {
    if (!called_.exchange(true)) std::exchange(done_, nullptr)(std::move(result));
  }

 private:
  std::atomic<bool> called_ = false;
  Done done_;
};

std::shared_ptr<pipe::ByteStream> Session::StartRaw() {
  Post([](Session& self) {
    if (self.state_ != State::kHandling) return;
    self.CountAnswer(101);  // As a rule: its head is the handler's to write.
    self.state_ = State::kRaw;
    self.host_->ReleaseBody(std::exchange(self.reserved_bytes_, 0));
    if (self.draining_) self.Close();
  });
  return std::make_shared<RawConnection>(shared_from_this());
}

void Session::RawRead(ReadDone done) {
  auto call = std::make_shared<RawCall<ReadDone>>(std::move(done));
  Post([call](Session& self) {
    if (self.state_ != State::kRaw) return (*call)(Ended());
    self.raw_read_ = call;
    self.DeliverRaw();
    self.Read();
  });
  // What was posted to a closed session may never run.
  if (closed_) (*call)(Ended());
}

void Session::RawWrite(std::string bytes, WriteDone done) {
  auto call = std::make_shared<RawCall<WriteDone>>(std::move(done));
  Post([call, bytes = std::move(bytes)](Session& self) mutable {
    if (self.state_ != State::kRaw || self.raw_closing_) return (*call)(Ended());
    self.raw_write_ = call;
    self.Write(std::move(bytes));
  });
  if (closed_) (*call)(Ended());
}

void Session::RawClose(bool at_once) {
  Post([at_once](Session& self) {
    if (self.state_ != State::kRaw) return;
    if (at_once) return self.Close();
    self.raw_closing_ = true;
    if (!self.writing_) self.RawWritten();
  });
}

void Session::DeliverRaw() {
  if (raw_read_ == nullptr || (input_.size() == 0 && !read_ended_)) return;
  const size_t bytes = std::min(input_.size(), pipe::ByteStream::kChunkBytesMax);
  const auto* data = static_cast<const char*>(input_.data().data());
  std::string chunk(data, bytes);
  input_.consume(bytes);
  (*std::exchange(raw_read_, nullptr))(std::move(chunk));
}

void Session::RawWritten() {
  if (raw_write_ != nullptr) (*std::exchange(raw_write_, nullptr))(absl::OkStatus());
  if (!raw_closing_) return;
  EndRaw(Ended());
  Linger();
}

void Session::RawStalled() {
  host_->Add(SessionHost::Count::kStreamCut);
  EndRaw(Error(absl::StatusCode::kDeadlineExceeded,
               absl::StrCat("the client has read nothing for ",
                            absl::FormatDuration(host_->options().taken_write_timeout)))
             .Reason("CLIENT_STALLED")
             .Meta("remote", remote_));
  Close();
}

void Session::EndRaw(const absl::Status& why) {
  if (raw_read_ != nullptr) (*std::exchange(raw_read_, nullptr))(why);
  if (raw_write_ != nullptr) (*std::exchange(raw_write_, nullptr))(why);
}

}  // namespace skerry::http
