#include "services/edged-svc/docker/docker_streams.h"

#include <deque>
#include <future>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "services/edged-svc/core/docker_bodies.h"
#include "services/edged-svc/core/docker_log.h"
#include "services/edged-svc/core/docker_views.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kOpenTimeout = absl::Seconds(10);  // Somebody waits.
constexpr absl::Duration kExecPause = absl::Milliseconds(100);
constexpr int kExecTries = 50;

void AskExec(DockerEngine& engine, const std::string& exec_id, int tries,
             absl::AnyInvocable<void(absl::StatusOr<int32_t>)> done) {
  engine.Call({.target = absl::StrCat("/exec/", exec_id, "/json"), .timeout = kOpenTimeout},
              [&engine, exec_id, tries,
               done = std::move(done)](absl::StatusOr<std::string> answer) mutable {
                if (!answer.ok()) return done(answer.status());
                const absl::StatusOr<DockerExec> exec = ParseDockerExec(*answer);
                if (!exec.ok()) return done(exec.status());
                if (!exec->running) return done(exec->exit_code);
                if (tries <= 1) {
                  return done(Error(absl::StatusCode::kUnknown,
                                    "the command closed its output and did not end")
                                  .Reason("EXEC_NOT_ENDED"));
                }
                engine.After(kExecPause, [&engine, exec_id, tries,
                                          done = std::move(done)](absl::Status status) mutable {
                  if (!status.ok()) return done(status);
                  AskExec(engine, exec_id, tries - 1, std::move(done));
                });
              });
}

class DockerIo final : public ContainerIo, public std::enable_shared_from_this<DockerIo> {
 public:
  // exec_id: empty for attach.
  DockerIo(DockerEngine& engine, std::string container_id, std::string exec_id, bool tty,
           std::shared_ptr<EngineStream> stream)
      : engine_(engine),
        container_id_(std::move(container_id)),
        exec_id_(std::move(exec_id)),
        tty_(tty),
        stream_(std::move(stream)) {}
  ~DockerIo() override { stream_->Close(absl::OkStatus()); }

  void Read(ReadDone done) override {
    {
      absl::ReleasableMutexLock lock(&mutex_);
      if (!ready_.empty()) {
        ContainerOutput output = std::move(ready_.front());
        ready_.pop_front();
        lock.Release();
        return done(std::move(output));
      }
    }
    stream_->Read([self = shared_from_this(),
                   done = std::move(done)](absl::StatusOr<std::string> bytes) mutable {
      if (!bytes.ok()) return done(bytes.status());
      if (bytes->empty()) return done(ContainerOutput());
      if (self->tty_)
        return done(ContainerOutput{ContainerOutput::From::kStdout, *std::move(bytes)});
      if (absl::Status status = self->Split(*bytes); !status.ok()) return done(status);
      self->Read(std::move(done));
    });
  }

  void Write(std::string bytes, WriteDone done) override {
    stream_->Write(std::move(bytes), std::move(done));
  }

  void CloseInput() override { stream_->CloseWrite(); }

  // One call at a time, so that none overtakes another; between them only the latest size counts.
  void Resize(uint16_t width, uint16_t height) override {
    {
      absl::MutexLock lock(&mutex_);
      next_size_ = {width, height};
      if (std::exchange(resizing_, true)) return;
    }
    SendSize();
  }

  void Wait(WaitDone done) override {
    if (exec_id_.empty()) return done(0);
    AwaitExec(engine_, exec_id_, std::move(done));
  }

  void Close() override { stream_->Close(absl::OkStatus()); }

 private:
  void SendSize() {
    std::pair<uint16_t, uint16_t> size;
    {
      absl::MutexLock lock(&mutex_);
      resizing_ = next_size_.has_value();
      if (!resizing_) return;
      size = *std::exchange(next_size_, std::nullopt);
    }
    // A size that Docker does not take is not worth the session.
    engine_.Call({.method = "POST",
                  .target = absl::StrCat(
                      exec_id_.empty() ? "/containers/" + container_id_ : "/exec/" + exec_id_,
                      "/resize?h=", size.second, "&w=", size.first),
                  .timeout = kOpenTimeout},
                 [self = shared_from_this()](const absl::StatusOr<std::string>& answer) {
                   if (!absl::IsCancelled(answer.status())) self->SendSize();
                 });
  }

  absl::Status Split(absl::string_view bytes) {
    absl::MutexLock lock(&mutex_);
    return frames_.Put(bytes, [this](const DockerFrames::Piece& piece) {
      mutex_.AssertHeld();
      if (piece.bytes.empty()) return;
      ready_.push_back(
          {piece.from_stderr ? ContainerOutput::From::kStderr : ContainerOutput::From::kStdout,
           std::string(piece.bytes)});
    });
  }

  DockerEngine& engine_;
  const std::string container_id_, exec_id_;
  const bool tty_;
  const std::shared_ptr<EngineStream> stream_;
  absl::Mutex mutex_;
  DockerFrames frames_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::pair<uint16_t, uint16_t>> next_size_ ABSL_GUARDED_BY(mutex_);  // Width first.
  bool resizing_ ABSL_GUARDED_BY(mutex_) = false;
  std::deque<ContainerOutput> ready_ ABSL_GUARDED_BY(mutex_);  // Of one chunk that was read.
};

absl::StatusOr<std::shared_ptr<EngineStream>> OpenStream(DockerEngine& engine,
                                                         EngineRequest request) {
  std::promise<absl::StatusOr<std::shared_ptr<EngineStream>>> opened;
  request.method = "POST";
  request.timeout = kOpenTimeout;
  engine.Open(std::move(request), [&](absl::StatusOr<std::shared_ptr<EngineStream>> stream) {
    opened.set_value(std::move(stream));
  });
  return opened.get_future().get();
}

}  // namespace

void AwaitExec(DockerEngine& engine, const std::string& exec_id,
               absl::AnyInvocable<void(absl::StatusOr<int32_t>)> done) {
  AskExec(engine, exec_id, kExecTries, std::move(done));
}

absl::StatusOr<std::shared_ptr<ContainerIo>> DockerStreams::Open(const StreamRequest& request) {
  if (request.kind == StreamRequest::Kind::kAttach) {
    SKERRY_ASSIGN_OR_RETURN(
        std::shared_ptr<EngineStream> stream,
        OpenStream(engine_,
                   {.target = absl::StrCat(
                        "/containers/", request.id, "/attach?stream=1&stdin=", request.in ? 1 : 0,
                        "&stdout=", request.out ? 1 : 0, "&stderr=", request.err ? 1 : 0,
                        "&detachKeys=", EscapeForTarget(kDetachKeys))}));
    return std::make_shared<DockerIo>(engine_, request.id, "", request.tty, std::move(stream));
  }
  SKERRY_ASSIGN_OR_RETURN(const std::string made,
                          engine_.Call({.method = "POST",
                                        .target = absl::StrCat("/containers/", request.id, "/exec"),
                                        .body = ExecBody(request.command, request.in, request.out,
                                                         request.err, request.tty),
                                        .timeout = kOpenTimeout}));
  SKERRY_ASSIGN_OR_RETURN(const std::string exec_id, ParseDockerId(made));
  SKERRY_ASSIGN_OR_RETURN(std::shared_ptr<EngineStream> stream,
                          OpenStream(engine_, {.target = absl::StrCat("/exec/", exec_id, "/start"),
                                               .body = ExecStartBody(request.tty)}));
  return std::make_shared<DockerIo>(engine_, request.id, exec_id, request.tty, std::move(stream));
}

void DockerStreams::ConnectPort(absl::string_view sandbox_id, uint16_t port, ConnectDone done) {
  engine_.Call(
      {.target = absl::StrCat("/containers/", sandbox_id, "/json"), .timeout = kOpenTimeout},
      [this, id = std::string(sandbox_id), port,
       done = std::move(done)](absl::StatusOr<std::string> answer) mutable {
        if (!answer.ok()) return done(answer.status());
        const absl::StatusOr<DockerContainer> sandbox = ParseDockerContainer(*answer);
        if (!sandbox.ok()) return done(sandbox.status());
        if (sandbox->pid == 0) {
          return done(Error(absl::StatusCode::kFailedPrecondition, "the pod's sandbox does not run")
                          .Reason("SANDBOX_NOT_READY"));
        }
        engine_.ConnectInside(id, sandbox->pid, port, kOpenTimeout, std::move(done));
      });
}

}  // namespace skerry::edged
