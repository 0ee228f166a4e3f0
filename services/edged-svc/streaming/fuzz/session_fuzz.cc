// Any bytes on a connection that was upgraded: none may crash it, and its end is the end of all.
#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/edged-svc/core/runtime.h"
#include "services/edged-svc/streaming/open_streams.h"
#include "services/edged-svc/streaming/stream_backend.h"
#include "services/edged-svc/streaming/stream_sessions.h"
#include "services/edged-svc/streaming/upgrade.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"
#include "services/lib/pipe/byte_stream.h"
#include "services/lib/pipe/testing/fake_stream.h"

namespace skerry::edged {
namespace {

using pipe::testing::FakeStream;
using Kind = StreamRequest::Kind;
using Transport = Upgrade::Transport;

// A process, or what listens in a pod, that says what it is told.
class Echo final : public ContainerIo {
 public:
  void Read(ReadDone done) override {
    stream_->Read([done = std::move(done)](absl::StatusOr<std::string> bytes) mutable {
      if (!bytes.ok()) return done(bytes.status());
      done(ContainerOutput{.bytes = *std::move(bytes)});
    });
  }
  void Write(std::string bytes, WriteDone done) override {
    if (!bytes.empty()) stream_->Say(std::move(bytes));
    done(absl::OkStatus());
  }
  void CloseInput() override { stream_->Say(""); }
  void Resize(uint16_t, uint16_t) override {}
  void Wait(WaitDone done) override { done(3); }
  void Close() override { stream_->Close(absl::OkStatus()); }

 private:
  const std::shared_ptr<FakeStream> stream_ = std::make_shared<FakeStream>();
};

class EchoPort final : public pipe::ByteStream {
 public:
  void Read(ReadDone done) override { stream_->Read(std::move(done)); }
  void Write(std::string bytes, WriteDone done) override {
    if (!bytes.empty()) stream_->Say(std::move(bytes));
    done(absl::OkStatus());
  }
  void Close(absl::Status status) override { stream_->Close(std::move(status)); }

 private:
  const std::shared_ptr<FakeStream> stream_ = std::make_shared<FakeStream>();
};

class EchoBackend final : public StreamBackend {
 public:
  absl::StatusOr<std::shared_ptr<ContainerIo>> Open(const StreamRequest& request) override {
    return std::static_pointer_cast<ContainerIo>(std::make_shared<Echo>());
  }
  void ConnectPort(absl::string_view, uint16_t port, ConnectDone done) override {
    if (port % 2 == 1) return done(absl::UnavailableError("nobody listens"));
    done(std::static_pointer_cast<pipe::ByteStream>(std::make_shared<EchoPort>()));
  }
};

// Threads are made once, not for every input.
struct World {
  SystemClock clock;
  EchoBackend backend;
  exec::SerialExecutor timers{"timers", clock};
  exec::ThreadPool pool{"pool", 1, 100};

  // What was being opened has been.
  void AwaitOpens() {
    std::promise<void> done;
    if (pool.TrySubmit([&] { done.set_value(); })) done.get_future().get();
  }
};

struct Way {
  Kind kind;
  Transport transport;
};
constexpr std::array kWays = {
    Way{Kind::kExec, Transport::kSpdy},        Way{Kind::kPortForward, Transport::kSpdy},
    Way{Kind::kExec, Transport::kWebSocket},   Way{Kind::kPortForward, Transport::kWebSocket},
    Way{Kind::kAttach, Transport::kWebSocket}, Way{Kind::kPortForward, Transport::kWebSocketTunnel},
};

void Run(uint8_t way, size_t step, absl::string_view bytes) {
  static World& world = *new World;
  StreamSessions sessions({.backend = world.backend,
                           .timers = world.timers,
                           .pool = world.pool,
                           .metrics = nullptr,
                           .log = log::Logger::Null()},
                          {.creation = absl::Seconds(30), .idle = absl::Hours(4)});
  const auto open = std::make_shared<OpenStreams>(1);
  const auto raw = std::make_shared<FakeStream>();
  const Way& chosen = kWays[way % kWays.size()];
  sessions.Begin({.kind = chosen.kind,
                  .tty = way >= 128,
                  .in = true,
                  .out = true,
                  .err = way < 128,
                  .ports = {80, 81}},
                 {.transport = chosen.transport, .peer_closes = true}, raw, open->Enter());
  for (size_t at = 0; at < bytes.size(); at += step) {
    raw->Say(std::string(bytes.substr(at, step)));
    world.AwaitOpens();
  }
  raw->Say("");
  open->Stop(world.clock, absl::ZeroDuration());
  world.AwaitOpens();
}

}  // namespace
}  // namespace skerry::edged

// The first byte says what is spoken, the second how the rest is cut into pieces.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3 || size > 4096) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  skerry::edged::Run(data[0], data[1] == 0 ? size : data[1] + size_t{15}, bytes);
  return 0;
}
