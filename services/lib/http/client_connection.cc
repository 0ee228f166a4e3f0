#include "services/lib/http/client_connection.h"

#include <sys/socket.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/connect_race.h"
#include "services/lib/http/name_lookup.h"

namespace skerry::http {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

absl::Status Broken(absl::string_view what) {
  return Error(absl::StatusCode::kUnavailable, what).Reason("HTTP_BROKEN");
}

std::string WithoutBrackets(absl::string_view host) {
  if (absl::ConsumePrefix(&host, "[")) absl::ConsumeSuffix(&host, "]");
  return std::string(host);
}

}  // namespace

// One request and its answer: both directions at once, as a server may answer, or refuse and
// close, before it has read everything.
class ClientConnection::Exchange {
 public:
  Exchange(Transport& transport, std::string request, AnswerReader::Limits limits, bool head)
      : transport_(transport), request_(std::move(request)), reader_(limits, head) {}

  void Start() {
    Write();
    Read();
  }
  const bool& over() const { return over_; }
  bool all_sent() const { return sent_ == request_.size(); }
  AnswerReader& reader() { return reader_; }
  AnswerReader::State state() const { return state_; }
  // Where the state is kMore: why nothing more comes.
  const ErrorCode& error() const { return error_; }

 private:
  void Write() {
    transport_.AsyncWrite(asio::buffer(request_.data() + sent_, request_.size() - sent_),
                          [this](const ErrorCode& error, size_t bytes) {
                            sent_ += bytes;
                            // Else reading tells: there may be an answer all the same.
                            if (!error && !over_ && !all_sent()) Write();
                          });
  }

  void Read() {
    transport_.AsyncRead(asio::buffer(piece_), [this](const ErrorCode& error, size_t bytes) {
      if (error) {
        error_ = error;
        if (error == asio::error::eof) state_ = reader_.End();
        over_ = true;
        return;
      }
      state_ = reader_.Take({piece_.data(), bytes});
      over_ = state_ != AnswerReader::State::kMore;
      if (!over_) Read();
    });
  }

  Transport& transport_;
  const std::string request_;
  AnswerReader reader_;
  AnswerReader::State state_ = AnswerReader::State::kMore;
  std::array<char, 16u << 10> piece_;
  size_t sent_ = 0;
  bool over_ = false;
  ErrorCode error_;
};

ClientConnection::~ClientConnection() { Close(); }

void ClientConnection::Close() {
  if (transport_.has_value()) {
    ErrorCode ignored;
    transport_->socket().close(ignored);
  }
  io_.restart();
  io_.run();
  transport_.reset();
  reusable_ = false;
}

absl::Status ClientConnection::Run(const bool& over, const CallTime& time,
                                   const std::string& what) {
  io_.restart();
  {
    std::stop_callback wake(time.stop, [this] { io_.stop(); });
    while (!over && io_.run_one_until(time.until) > 0) {
    }
  }
  if (over) return absl::OkStatus();
  if (time.stop.stop_requested()) return absl::CancelledError("stopping");
  return Error(absl::StatusCode::kDeadlineExceeded, absl::StrCat(what, " took too long"))
      .Reason("HTTP_TIMEOUT");
}

absl::Status ClientConnection::Open(const Peer& peer, const CallTime& time) {
  name_ = absl::StrCat(peer.host, ":", peer.port);
  SKERRY_ASSIGN_OR_RETURN(std::vector<asio::ip::tcp::endpoint> endpoints,
                          LookUp(peer.host, peer.port, time));
  SslContext context;
  if (peer.tls.has_value()) {
    SKERRY_ASSIGN_OR_RETURN(context, MakeClientContext(*peer.tls));
  }
  ConnectRace race(io_, std::move(endpoints));
  race.Start();
  const absl::Status connected = Run(race.over(), time, absl::StrCat("connecting to ", name_));
  race.Cancel();
  Close();  // Those that came later.
  SKERRY_RETURN_IF_ERROR(connected);
  if (!race.winner().has_value()) {
    return Error(absl::StatusCode::kUnavailable,
                 absl::StrCat("cannot connect to ", name_, ": ", race.error().message()))
        .Reason("HTTP_UNREACHABLE")
        .Meta("host", peer.host);
  }
  ErrorCode ignored;
  race.winner()->set_option(asio::ip::tcp::no_delay(true), ignored);
  transport_.emplace(*std::move(race.winner()), context);
  if (!peer.tls.has_value()) return absl::OkStatus();

  const std::string server =
      WithoutBrackets(peer.server_name.empty() ? peer.host : peer.server_name);
  SKERRY_RETURN_IF_ERROR(ExpectServer(transport_->tls(), server, peer.tls->verify));
  bool over = false;
  ErrorCode failed;
  transport_->AsyncHandshake(Transport::Side::client, [&](const ErrorCode& error) {
    failed = error;
    over = true;
  });
  absl::Status status = Run(over, time, absl::StrCat("the TLS handshake with ", name_));
  if (status.ok() && failed) status = HandshakeError(transport_->tls(), server, failed.message());
  if (!status.ok()) Close();
  return status;
}

absl::StatusOr<CallAnswer> ClientConnection::Ask(std::string request, bool head,
                                                 AnswerReader::Limits limits,
                                                 const CallTime& time) {
  reusable_ = broke_untouched_ = false;
  const auto exchange = std::make_unique<Exchange>(*transport_, std::move(request), limits, head);
  exchange->Start();
  const absl::Status ran = Run(exchange->over(), time, absl::StrCat("the answer of ", name_));
  AnswerReader& reader = exchange->reader();
  const bool keep = ran.ok() && exchange->state() == AnswerReader::State::kDone &&
                    exchange->all_sent() && reader.keep_alive();
  if (!keep) Close();
  SKERRY_RETURN_IF_ERROR(ran);
  switch (exchange->state()) {
    case AnswerReader::State::kMore:
    case AnswerReader::State::kHead:  // Of answers in pieces alone.
      broke_untouched_ = reader.untouched();
      return Broken(absl::StrCat("the connection to ", name_, " broke ",
                                 reader.untouched() ? "before" : "in",
                                 " the answer: ", exchange->error().message()));
    case AnswerReader::State::kMalformed:
      broke_untouched_ = reader.untouched();
      return Broken(absl::StrCat("the answer of ", name_, " can't be read: ", reader.fault()));
    case AnswerReader::State::kTooLarge:
      return Error(absl::StatusCode::kResourceExhausted,
                   absl::StrCat("the answer (status ", reader.status(), ") has more than ",
                                limits.body_bytes_max, " bytes, or more than ",
                                limits.headers_bytes_max, " of headers"))
          .Reason("HTTP_ANSWER_TOO_LARGE");
    case AnswerReader::State::kDone:
      break;
  }
  reusable_ = keep;
  return CallAnswer{
      .status = reader.status(), .headers = reader.TakeHeaders(), .body = reader.TakeBody()};
}

bool ClientConnection::StillOpen() {
  if (!transport_.has_value()) return false;
  char byte;
  const ssize_t got = recv(transport_->socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace skerry::http
