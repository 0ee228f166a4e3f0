#include "services/edged-svc/streaming/remote_command.h"

#include <utility>
#include <vector>

namespace skerry::edged {

template <typename Work>
void RemoteCommand::Post(Work work) {
  connection_->strand().Run(
      [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
}

void RemoteCommand::Start() {
  const bool accepted = deps_.pool.TrySubmit([self = shared_from_this()] {
    absl::StatusOr<std::shared_ptr<ContainerIo>> io = self->deps_.backend.Open(self->request_);
    self->Post([io = std::move(io)](RemoteCommand& self) mutable { self.Opened(std::move(io)); });
  });
  if (!accepted)
    Finish(Failure(absl::ResourceExhaustedError("too many streams are being opened now")));
}

void RemoteCommand::Opened(absl::StatusOr<std::shared_ptr<ContainerIo>> io) {
  if (ended_) {
    if (io.ok()) (*io)->Close();
    return;
  }
  if (!io.ok()) return Finish(Failure(io.status()));
  io_ = *std::move(io);
  if (channels_.in != nullptr) CopyIn();
  if (channels_.resize != nullptr) ReadSizes();
  CopyOut();
}

void RemoteCommand::CopyIn() {
  if (ended_) return;
  channels_.in->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
    if (self->ended_) return;
    if (!bytes.ok() || bytes->empty()) return self->io_->CloseInput();
    self->io_->Write(*std::move(bytes), [self](absl::Status status) {
      self->Post([status = std::move(status)](RemoteCommand& self) {
        if (self.ended_) return;
        if (status.ok()) return self.CopyIn();
        self.channels_.in->Discard();  // The process no longer reads; its output goes on.
      });
    });
  });
}

void RemoteCommand::CopyOut() {
  if (ended_) return;
  io_->Read([self = shared_from_this()](absl::StatusOr<ContainerOutput> output) {
    self->Post([output = std::move(output)](RemoteCommand& self) mutable {
      if (self.ended_) return;
      if (!output.ok()) return self.Finish(self.Failure(output.status()));
      self.Deliver(*std::move(output));
    });
  });
}

void RemoteCommand::Deliver(ContainerOutput output) {
  if (output.bytes.empty()) return AwaitExit();
  const auto& channel =
      output.from == ContainerOutput::From::kStdout ? channels_.out : channels_.err;
  if (channel == nullptr) return CopyOut();  // Nobody asked for it.
  channel->Write(std::move(output.bytes), [self = shared_from_this()](absl::Status status) {
    if (self->ended_) return;
    // A client that has reset this stream wants it no longer.
    self->CopyOut();
  });
}

void RemoteCommand::ReadSizes() {
  if (ended_) return;
  channels_.resize->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
    if (self->ended_ || !bytes.ok() || bytes->empty()) return;
    absl::StatusOr<std::vector<TerminalSize>> sizes = self->sizes_.Put(*bytes);
    if (!sizes.ok()) return self->connection_->End(sizes.status());
    for (const TerminalSize size : *sizes) self->io_->Resize(size.width, size.height);
    self->ReadSizes();
  });
}

void RemoteCommand::AwaitExit() {
  io_->Wait([self = shared_from_this()](absl::StatusOr<int> exit_code) {
    self->Post([exit_code = std::move(exit_code)](RemoteCommand& self) {
      if (self.ended_) return;
      self.Finish(exit_code.ok() ? ExitStatus(self.format_, *exit_code)
                                 : self.Failure(exit_code.status()));
    });
  });
}

void RemoteCommand::Finish(std::string status) {
  if (ended_) return;
  if (channels_.out != nullptr) channels_.out->End();
  if (channels_.err != nullptr) channels_.err->End();
  if (!status.empty()) channels_.error->Write(std::move(status), [](absl::Status) {});
  channels_.error->End();
  connection_->End(absl::OkStatus());
}

void RemoteCommand::ConnectionEnded() {
  if (std::exchange(ended_, true)) return;
  channels_ = {};
  if (io_ != nullptr) io_->Close();
  io_ = nullptr;
}

std::string RemoteCommand::Failure(const absl::Status& why) const {
  return FailureStatus(format_,
                       request_.kind == StreamRequest::Kind::kExec
                           ? "error executing command in container"
                           : "error attaching to container",
                       why);
}

}  // namespace skerry::edged
