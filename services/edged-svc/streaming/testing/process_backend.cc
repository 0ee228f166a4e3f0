#include "services/edged-svc/streaming/testing/process_backend.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace skerry::edged {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;
using From = ContainerOutput::From;

struct Process {
  pid_t pid = 0;
  int in = -1, out = -1, err = -1;  // Our ends; a terminal has one for all.
};

// The state of one process; its own thread is the backend's.
class ProcessIo final : public ContainerIo, public std::enable_shared_from_this<ProcessIo> {
 public:
  ProcessIo(asio::io_context& io, exec::ThreadPool& waits, const Process& process)
      : io_(io), waits_(waits), pid_(process.pid), in_(io) {
    if (process.in >= 0) in_.assign(process.in);
    AddOutput(From::kStdout, process.out);
    AddOutput(From::kStderr, process.err);
  }
  ~ProcessIo() override {
    if (!waited_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void Read(ReadDone done) override {
    Post([done = std::move(done)](ProcessIo& self) mutable {
      self.read_ = std::move(done);
      self.Deliver();
      for (const auto& output : self.outputs_) self.Fill(*output);
    });
  }
  void Write(std::string bytes, WriteDone done) override {
    Post([bytes = std::move(bytes), done = std::move(done)](ProcessIo& self) mutable {
      self.to_write_ = std::move(bytes);
      asio::async_write(self.in_, asio::buffer(self.to_write_),
                        [kept = self.shared_from_this(), done = std::move(done)](
                            const ErrorCode& error, size_t) mutable {
                          done(error ? absl::UnavailableError(error.message()) : absl::OkStatus());
                        });
    });
  }
  void CloseInput() override {
    Post([](ProcessIo& self) {
      ErrorCode ignored;
      if (self.in_.is_open()) self.in_.close(ignored);
    });
  }
  void Resize(uint16_t width, uint16_t height) override {
    Post([=](ProcessIo& self) {
      const winsize size{height, width, 0, 0};
      if (self.in_.is_open()) ::ioctl(self.in_.native_handle(), TIOCSWINSZ, &size);
    });
  }
  void Wait(WaitDone done) override {
    waited_ = true;
    auto call = std::make_shared<WaitDone>(std::move(done));
    const bool accepted = waits_.TrySubmit([self = shared_from_this(), call] {
      int status = 0;
      ::waitpid(self->pid_, &status, 0);
      (*call)(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    });
    if (!accepted) (*call)(absl::ResourceExhaustedError("too many processes are waited for"));
  }
  void Close() override {
    Post([](ProcessIo& self) {
      if (!self.waited_) ::kill(self.pid_, SIGKILL);
      ErrorCode ignored;
      self.in_.close(ignored);
      for (const auto& output : self.outputs_) output->file.close(ignored);
      if (self.read_) std::exchange(self.read_, nullptr)(absl::CancelledError("closed"));
    });
  }

 private:
  struct Output {
    Output(asio::io_context& io, From from, int fd) : from(from), file(io, fd) {}
    const From from;
    asio::posix::stream_descriptor file;
    std::array<char, 4096> buffer;
    bool reading = false, ended = false;
    std::string ready;
  };

  template <typename Work>
  void Post(Work work) {
    asio::post(io_, [self = shared_from_this(), work = std::move(work)]() mutable { work(*self); });
  }
  void AddOutput(From from, int fd) {
    if (fd >= 0) outputs_.push_back(std::make_unique<Output>(io_, from, fd));
  }
  void Fill(Output& output) {
    if (output.reading || output.ended || !output.ready.empty()) return;
    output.reading = true;
    output.file.async_read_some(
        asio::buffer(output.buffer),
        [self = shared_from_this(), &output](const ErrorCode& error, size_t bytes) {
          output.reading = false;
          if (error) output.ended = true;  // A terminal ends with EIO.
          output.ready.assign(output.buffer.data(), bytes);
          self->Deliver();
        });
  }
  void Deliver() {
    if (!read_) return;
    bool ended = true;
    for (const auto& output : outputs_) {
      if (!output->ready.empty()) {
        return std::exchange(
            read_, nullptr)(ContainerOutput{output->from, std::exchange(output->ready, "")});
      }
      ended = ended && output->ended;
    }
    if (ended) std::exchange(read_, nullptr)(ContainerOutput{});
  }

  asio::io_context& io_;
  exec::ThreadPool& waits_;
  const pid_t pid_;
  std::atomic<bool> waited_ = false;
  asio::posix::stream_descriptor in_;
  std::string to_write_;
  std::vector<std::unique_ptr<Output>> outputs_;
  ReadDone read_;
};

absl::Status SystemError(absl::string_view what) {
  return absl::InternalError(absl::StrCat(what, ": ", std::strerror(errno)));
}

struct Pipe {
  int read = -1, write = -1;
  static absl::StatusOr<Pipe> Make() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe");
    return Pipe{ends[0], ends[1]};
  }
};

// The child's half: `failed` gets errno where the program can't be run.
[[noreturn]] void RunChild(char* const* argv, int failed) {
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(argv[0], argv);
  const int error = errno;
  (void)!::write(failed, &error, sizeof(error));
  ::_exit(127);
}

absl::StatusOr<Process> Spawn(const StreamRequest& request, std::vector<std::string> command) {
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  absl::StatusOr<Pipe> failed = Pipe::Make(), in = Pipe::Make(), out = Pipe::Make(),
                       err = Pipe::Make();
  if (!failed.ok() || !in.ok() || !out.ok() || !err.ok())
    return absl::InternalError("no more pipes");
  Process process;
  int terminal = -1;
  const pid_t pid = request.tty ? ::forkpty(&terminal, nullptr, nullptr, nullptr) : ::fork();
  if (pid < 0) return SystemError("fork");
  if (pid == 0) {
    if (!request.tty) {
      ::dup2(in->read, 0);
      ::dup2(out->write, 1);
      ::dup2(err->write, 2);
    }
    RunChild(argv.data(), failed->write);
  }
  process.pid = pid;
  ::close(failed->write);
  ::close(in->read);
  ::close(out->write);
  ::close(err->write);
  int error = 0;
  const bool started = ::read(failed->read, &error, sizeof(error)) <= 0;
  ::close(failed->read);
  if (request.tty || !started) {
    ::close(in->write);
    ::close(out->read);
    ::close(err->read);
  }
  if (!started) {
    ::waitpid(pid, nullptr, 0);
    if (terminal >= 0) ::close(terminal);
    return absl::NotFoundError(absl::StrCat("exec: \"", command[0], "\": ", std::strerror(error)));
  }
  if (request.tty) {
    process.in = ::dup(terminal);
    process.out = terminal;
    return process;
  }
  process.out = out->read;
  process.err = err->read;
  process.in = in->write;
  if (!request.in) {
    ::close(in->write);
    process.in = -1;
  }
  return process;
}

}  // namespace

ProcessBackend::ProcessBackend() : work_(io_.get_executor()), thread_([this] { io_.run(); }) {
  ::signal(SIGPIPE, SIG_IGN);  // A process that has closed its input is an error of a write.
}

ProcessBackend::~ProcessBackend() {
  waits_.Stop();
  work_.reset();
  thread_.join();
}

absl::StatusOr<std::shared_ptr<ContainerIo>> ProcessBackend::Open(const StreamRequest& request) {
  std::vector<std::string> command = request.command;
  if (request.kind == StreamRequest::Kind::kAttach)
    command = {"sh", "-c", "while read x; do echo got $x; done"};
  if (command.empty()) return absl::InvalidArgumentError("no command");
  absl::StatusOr<Process> process = Spawn(request, command);
  if (!process.ok()) return process.status();
  return std::static_pointer_cast<ContainerIo>(std::make_shared<ProcessIo>(io_, waits_, *process));
}

void ProcessBackend::ConnectPort(absl::string_view, uint16_t port, ConnectDone done) {
  connector_.Connect({.host = "127.0.0.1", .port = port}, absl::Seconds(10), std::move(done));
}

}  // namespace skerry::edged
