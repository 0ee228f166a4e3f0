#include "services/edged-svc/streaming/port_pair.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

constexpr size_t kReasonBytesMax = 2048;

}  // namespace

template <typename Work>
void PortPair::Post(Work work) {
  deps_.strand.Run([self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
}

void PortPair::Start() {
  deps_.backend.ConnectPort(
      sandbox_id_, port_,
      [self = shared_from_this()](absl::StatusOr<std::shared_ptr<pipe::ByteStream>> pod) {
        self->Post([pod = std::move(pod)](PortPair& self) mutable {
          if (!pod.ok()) return self.End(pod.status());
          self.Connected(*std::move(pod));
        });
      });
}

void PortPair::Connected(std::shared_ptr<pipe::ByteStream> pod) {
  if (ended_) return pod->Close(absl::CancelledError("the client has left"));
  pod_ = std::move(pod);
  CopyIn();
  CopyOut();
}

void PortPair::CopyIn() {
  data_->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
    if (self->ended_) return;
    if (!bytes.ok()) return self->End(absl::OkStatus());  // It was reset.
    if (bytes->empty()) {
      self->timer_ = self->deps_.timers.PostAfter(
          kLastWords, [self] { self->Post([](PortPair& self) { self.End(absl::OkStatus()); }); });
      return;
    }
    self->pod_->Write(*std::move(bytes), [self](absl::Status status) {
      self->Post([status = std::move(status)](PortPair& self) {
        if (self.ended_) return;
        if (status.ok()) return self.CopyIn();
        self.data_->Discard();  // What the pod still says is passed on.
      });
    });
  });
}

void PortPair::CopyOut() {
  pod_->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
    self->Post([bytes = std::move(bytes)](PortPair& self) mutable {
      if (self.ended_) return;
      if (!bytes.ok() || bytes->empty()) return self.End(bytes.status());
      self.data_->Write(*std::move(bytes), [self = self.shared_from_this()](absl::Status status) {
        if (self->ended_) return;
        if (!status.ok()) return self->End(absl::OkStatus());
        self->CopyOut();
      });
    });
  });
}

void PortPair::End(absl::Status status) {
  if (std::exchange(ended_, true)) return;
  if (timer_ != 0) deps_.timers.Cancel(timer_);
  if (!status.ok()) {
    error_->Write(absl::StrCat("error forwarding port ", port_, " to pod ", sandbox_id_,
                               ", uid : ", status.message().substr(0, kReasonBytesMax)),
                  [](absl::Status) {});
  }
  for (Channel* channel : {data_.get(), error_.get()}) {
    channel->End();
    channel->Discard();
  }
  if (pod_ != nullptr) pod_->Close(absl::OkStatus());
  std::exchange(done_, nullptr)();
}

}  // namespace skerry::edged
