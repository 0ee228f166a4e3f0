// Any bytes of a client on a connection of the server: sent as a whole and in pieces, they are the
// same requests with the same answers. Paths say what the handler does.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "services/lib/http/answer_reader.h"
#include "services/lib/http/server.h"
#include "services/lib/http/session.h"
#include "services/lib/http/tls_context.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::http {
namespace {

namespace asio = boost::asio;

constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr char kSwitching[] = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

void Require(bool holds) {
  if (!holds) std::abort();
}

struct Way {
  size_t piece;
  bool late;    // Answers come after all that the client says.
  bool hasty;   // It says no more before it has read anything.
  bool leaves;  // It is gone before it has read anything.
  bool scarce;  // There is room for half a body.
};

struct Answer {
  int status = 0;
  bool head = false;  // It answers HEAD.
  bool operator==(const Answer&) const = default;
};

struct Seen {
  std::string method, target, body;
  std::map<std::string, std::string> headers;
  bool operator==(const Seen&) const = default;
};

struct Outcome {
  std::vector<Seen> requests;
  std::vector<Answer> answers;
  std::string said;  // By the server.
};

// Says what it hears.
void Echo(const std::shared_ptr<pipe::ByteStream>& stream) {
  stream->Read([stream](absl::StatusOr<std::string> bytes) {
    if (!bytes.ok() || bytes->empty()) return stream->Close(bytes.status());
    stream->Write(*std::move(bytes), [stream](absl::Status status) {
      if (status.ok()) Echo(stream);
    });
  });
}

void Handle(const Request& request, Responder& responder) {
  if (request.path == "/none") return;
  if (request.path == "/stream") {
    const auto stream = responder.Stream(200, {{"Content-Type", request.Header("x")}});
    stream->Write(request.body);
    stream->Write("the end");
    return stream->End();
  }
  if (request.path == "/take") {
    const auto stream = responder.TakeConnection();
    return stream->Write(kSwitching, [stream](absl::Status status) {
      if (status.ok()) Echo(stream);
    });
  }
  responder.Send(
      {.headers = {{request.Query("a").value_or("A"), request.Header("x")}}, .body = request.body});
}

class Host final : public SessionHost {
 public:
  Host(asio::io_context& io, const Way& way) : io_(io) {
    options_.body_bytes_max = 200;
    options_.header_bytes_max = 600;
    options_.bodies_bytes_max = way.scarce ? 100 : 1000;
  }

  const ServerOptions& options() const override { return options_; }
  void Idle(Session*) override {
    Require(!closed);
    idle_ = true;
  }
  void Busy(Session*) override {
    Require(!closed);
    idle_ = false;
  }
  bool Submit(Request request, std::shared_ptr<Responder> responder) override {
    Require(!idle_);
    size_t bytes = 0;
    for (const auto& [name, value] : request.headers) bytes += name.size() + value.size();
    Require(bytes <= options_.header_bytes_max && request.body.size() <= options_.body_bytes_max);
    outcome.requests.push_back({request.method, request.target, request.body, request.headers});
    head_ = request.method == "HEAD";
    if (request.path == "/full") return false;
    waiting_.emplace_back(std::move(request), std::move(responder));
    return true;
  }
  bool ReserveBody(size_t bytes) override {
    if (bytes > options_.bodies_bytes_max - reserved) return false;
    reserved += bytes;
    return true;
  }
  void ReleaseBody(size_t bytes) override {
    Require(bytes <= reserved);
    reserved -= bytes;
  }
  bool ReserveAnswer(Session*, size_t) override { return true; }
  void ReleaseAnswer(Session*) override {}
  void Add(Count) override {}
  void Answered(int status, std::optional<absl::Duration>) override {
    outcome.answers.push_back({status, std::exchange(head_, false)});
  }
  void Closed(Session*) override {
    Require(!closed);
    closed = true;
    asio::post(io_, [kept = std::move(session)] {});
  }

  // False: no request waits for the handler.
  bool HandleOne() {
    if (waiting_.empty()) return false;
    auto [request, responder] = std::move(waiting_.front());
    waiting_.pop_front();
    Handle(request, *responder);
    return true;
  }

  Outcome outcome;
  std::shared_ptr<Session> session;
  size_t reserved = 0;
  bool closed = false;

 private:
  asio::io_context& io_;
  ServerOptions options_;
  bool head_ = false;
  bool idle_ = true;
  std::deque<std::pair<Request, std::shared_ptr<Responder>>> waiting_;
};

// The client's end of a connection, and the loop of both.
class Client {
 public:
  Client(const std::shared_ptr<asio::io_context>& io, Host& host) : io_(*io), host_(host) {
    int ends[2];
    Require(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    fd_ = ends[0];
    Transport::Socket socket(*io);
    socket.assign(asio::ip::tcp::v4(), ends[1]);
    host.session = std::make_shared<Session>(io, std::move(socket), SslContext(), &host);
    host.session->Start();
  }
  ~Client() { close(fd_); }

  // False: it has no room, which is so where the server does not read.
  bool Say(absl::string_view bytes) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent == static_cast<ssize_t>(bytes.size());
  }
  void SayNoMore() { shutdown(fd_, SHUT_WR); }
  void Leave() { shutdown(fd_, SHUT_RDWR); }

  // Until nothing happens any more.
  void Settle(bool handle) {
    do {
      io_.restart();
      while (io_.poll() > 0 || Hear()) {
      }
    } while (handle && host_.HandleOne());
  }

 private:
  bool Hear() {
    char buffer[4096];
    const ssize_t got = recv(fd_, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) return false;
    host_.outcome.said.append(buffer, static_cast<size_t>(got));
    return true;
  }

  asio::io_context& io_;
  Host& host_;
  int fd_;
};

// What the server said is its answers, one behind the other. Returns what it said, then, on a
// connection that was taken over. `whole`: none may be missing; who says no more gets no stream.
std::string CheckAnswers(const Outcome& outcome, bool whole) {
  std::string said = outcome.said;
  for (const Answer& answer : outcome.answers) {
    if (answer.status == 101) return said;
    if (!whole && said.empty()) return "";
    AnswerReader reader({}, answer.head);
    AnswerReader::State state = reader.Take(said);
    if (state == AnswerReader::State::kMore) state = reader.End();
    if (&answer != &outcome.answers.back() || answer.status < 400)
      Require(state == AnswerReader::State::kDone);
    Require(reader.status() == answer.status);
    said = reader.TakeRest();
  }
  Require(said.empty() || said == kContinue);
  return "";
}

Outcome Run(const Way& way, absl::string_view bytes) {
  static const auto& io = *new std::shared_ptr<asio::io_context>(new asio::io_context(1));
  Host host(*io, way);
  std::weak_ptr<Session> session;
  {
    Client client(io, host);
    session = host.session;
    client.Settle(false);
    while (!bytes.empty() && client.Say(bytes.substr(0, way.piece))) {
      bytes.remove_prefix(std::min(way.piece, bytes.size()));
      if (!bytes.empty() || !(way.hasty || way.leaves)) client.Settle(!way.late);
    }
    if (way.hasty) client.SayNoMore();
    if (way.leaves) client.Leave();
    client.Settle(true);
    client.SayNoMore();
    client.Settle(true);
  }
  io->restart();
  io->poll();
  Require(host.closed && host.reserved == 0 && session.expired());
  return std::move(host.outcome);
}

}  // namespace
}  // namespace skerry::http

// The first byte says how the rest is cut into pieces, the second how the client and the server
// are.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3 || size > 8192) return 0;
  const absl::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  skerry::http::Way way{.piece = std::max(data[0] % 64 + size_t{1}, bytes.size() / 64),
                        .late = (data[1] & 1) != 0,
                        .hasty = (data[1] & 2) != 0,
                        .leaves = (data[1] & 4) != 0,
                        .scarce = (data[1] & 8) != 0};
  skerry::http::Outcome pieces = skerry::http::Run(way, bytes);
  if (way.leaves) return 0;
  const std::string raw = skerry::http::CheckAnswers(pieces, !way.hasty);
  if (way.hasty) return 0;
  way.piece = bytes.size();
  skerry::http::Outcome whole = skerry::http::Run(way, bytes);
  skerry::http::Require(raw == skerry::http::CheckAnswers(whole, true));
  // A request that is no good may be refused before it is complete, and so one time only.
  pieces.answers.resize(pieces.requests.size());
  whole.answers.resize(whole.requests.size());
  skerry::http::Require(pieces.requests == whole.requests && pieces.answers == whole.answers);
  if (raw.empty()) return 0;
  const absl::string_view echo = absl::StripPrefix(raw, skerry::http::kSwitching);
  skerry::http::Require(echo.size() < raw.size() && absl::EndsWith(bytes, echo));
  return 0;
}
