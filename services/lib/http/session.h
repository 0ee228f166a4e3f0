// One HTTP connection: reads requests, has them handled, writes answers and streams. Internal to
// the server.
#ifndef SKERRY_SERVICES_LIB_HTTP_SESSION_H_
#define SKERRY_SERVICES_LIB_HTTP_SESSION_H_

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/lib/http/body_so_far.h"
#include "services/lib/http/queued_stream.h"
#include "services/lib/http/server.h"
#include "services/lib/http/tls_context.h"
#include "services/lib/http/transport.h"
#include "services/lib/pipe/byte_stream.h"

namespace skerry::http {

class Session;

// What sessions share. It outlives them being open; network thread only.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  virtual const ServerOptions& options() const = 0;
  // From now on it has no whole request, and may be closed for another at the bound of connections;
  // now it has. Calls may be repeated.
  virtual void Idle(Session* session) = 0;
  virtual void Busy(Session* session) = 0;
  // Hands a request to a worker. False: too many wait.
  virtual bool Submit(Request request, std::shared_ptr<Responder> responder) = 0;
  // Room for a request body. False: too much is in use.
  virtual bool ReserveBody(size_t bytes) = 0;
  virtual void ReleaseBody(size_t bytes) = 0;
  // Room for the answer of a session until it is written; those that take too long may be closed
  // for it. False: too much waits.
  virtual bool ReserveAnswer(Session* session, size_t bytes) = 0;
  // May be repeated.
  virtual void ReleaseAnswer(Session* session) = 0;
  enum class Count { kHandshakeFailed, kRequest, kRequestRefused, kAnswerDropped, kStreamCut };
  virtual void Add(Count count) = 0;
  // took: of a request that was handed to a worker.
  virtual void Answered(int status, std::optional<absl::Duration> took) = 0;
  // The last call of a session.
  virtual void Closed(Session* session) = 0;
};

// Lives on the network thread, but for Answer and StartStream (any thread), which post to it. Kept
// by its pending operations, the host's table, and its request's responder. After Closed it touches
// the host no more.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  // The io_context is shared: a responder may outlive the server.
  Session(std::shared_ptr<boost::asio::io_context> io, Transport::Socket socket,
          const SslContext& tls, SessionHost* host);

  void Start();
  // Ends when what is under way is answered; streams end now.
  void Drain();
  void Close();

  // Any thread, once for a request.
  void Answer(Response response);
  std::shared_ptr<ResponseStream> StartStream(
      int status, std::vector<std::pair<std::string, std::string>> headers);
  std::shared_ptr<pipe::ByteStream> StartRaw();

  // Any thread, after StartRaw; as ByteStream's.
  using ReadDone = pipe::ByteStream::ReadDone;
  using WriteDone = pipe::ByteStream::WriteDone;
  void RawRead(ReadDone done);
  void RawWrite(std::string bytes, WriteDone done);
  void RawClose(bool at_once);

 private:
  enum class State {
    kHandshake,
    kReading,
    kHandling,
    kResponding,
    kStreaming,
    kRaw,
    kLingering,
    kClosed
  };
  using Parser = boost::beast::http::request_parser<BodySoFar>;
  using ErrorCode = boost::system::error_code;

  // Only what holds the session at that time keeps it: a function that waits in a stopped
  // io_context must not.
  template <typename Function>
  void Post(Function function) {
    boost::asio::post(*io_, [weak = weak_from_this(), function = std::move(function)]() mutable {
      if (const std::shared_ptr<Session> self = weak.lock(); self != nullptr) function(*self);
    });
  }
  void SetDeadline(absl::Duration timeout);
  void ClearDeadline();

  void Read();
  void OnRead(const ErrorCode& error, size_t bytes);
  void OnReadEnded(bool clean);
  void NextRequest();
  void Parse();
  bool HasTooManyHeaders(bool needs_more) const;
  // False: the request was answered here.
  bool OnHeaders();
  void TakeHeaders();
  // For what has come of the body. False: there is none.
  bool ReserveRoom();
  void Dispatch();
  void Refuse(int status, absl::string_view message);

  void CountAnswer(int status);
  void SendAnswer(Response response);
  void BeginStream(int status, const std::vector<std::pair<std::string, std::string>>& headers,
                   std::shared_ptr<QueuedStream> stream);
  void Pump();
  // Gives what was read to who waits for it.
  void DeliverRaw();
  void RawWritten();
  // Who waits is told why.
  void EndRaw(const absl::Status& why);
  // The client does not read what is being written.
  void RawStalled();
  void Write(std::string bytes);
  void WriteMore();
  void OnWritten();
  void Linger();

  const std::shared_ptr<boost::asio::io_context> io_;
  SessionHost* const host_;
  // The host may be gone when a responder asks for a stream.
  const size_t stream_pending_bytes_max_;
  Transport transport_;
  boost::asio::steady_timer deadline_;
  std::string remote_;
  std::optional<ClientCertificate> client_;
  State state_ = State::kHandshake;
  std::atomic<bool> closed_ = false;  // state_ is kClosed, for other threads.
  bool draining_ = false;

  boost::beast::flat_buffer input_;
  std::string incoming_;     // Where a read goes: input_ may be consumed, and so move, meanwhile.
  bool reading_ = false;     // A read is under way.
  bool read_ended_ = false;  // The client sends no more.
  size_t lingered_bytes_ = 0;

  std::optional<Parser> parser_;  // Of the request that is read or handled.
  bool request_begun_ = false;    // Some of its bytes are here.
  size_t header_bytes_ = 0;       // Of it, so far.
  bool headers_done_ = false;
  std::map<std::string, std::string> headers_;  // Request::headers, once they are done.
  bool keep_alive_ = false;
  bool refused_ = false;   // Its rest may still arrive.
  bool head_ = false;      // HEAD: no body in the answer.
  bool get_ = false;       // GET: it may be asked again.
  bool http_1_0_ = false;  // No chunks for these.
  // When it was given to a worker; nullopt: it was not, or is answered.
  std::optional<std::chrono::steady_clock::time_point> handed_over_;
  size_t reserved_bytes_ = 0;

  std::string output_;
  size_t output_offset_ = 0;
  bool writing_ = false;
  bool continue_pending_ =
      false;  // `output_` is the 100 (Continue) of a request whose body comes next.

  std::shared_ptr<QueuedStream> stream_;
  size_t stream_payload_bytes_ = 0;  // In `output_`.
  bool stream_last_ = false;         // `output_` ends the stream.

  // A call that waits; called once, also when the session ends first.
  template <typename Done>
  class RawCall;
  std::shared_ptr<RawCall<ReadDone>> raw_read_;
  std::shared_ptr<RawCall<WriteDone>> raw_write_;
  bool raw_closing_ = false;  // After what is being written.
};

}  // namespace skerry::http

#endif  // SKERRY_SERVICES_LIB_HTTP_SESSION_H_
