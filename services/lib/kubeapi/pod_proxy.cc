#include "services/lib/kubeapi/pod_proxy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/http/answer_reader.h"
#include "services/lib/kubeapi/api_status.h"
#include "services/lib/kubeapi/json.h"
#include "services/lib/kubeapi/status_response.h"
#include "services/lib/pipe/pipe.h"

namespace skerry::kubeapi {
namespace {

using Stream = std::shared_ptr<pipe::ByteStream>;

constexpr absl::Duration kDialTimeout = absl::Seconds(10);
// Of the body that is waited for only what is an error's is kept, and counted.
constexpr http::AnswerReader::Limits kLimits = {
    .body_bytes_max = http::AnswerReader::kBodyUnbounded, .headers_bytes_max = 64u << 10};
constexpr size_t kErrorBytesMax = 64u << 10;

// What a client says to this server alone.
bool IsOurs(absl::string_view header) {
  return header == "authorization" || header == "cookie" || header == "host" ||
         header == "content-length" || header == "transfer-encoding" || header == "expect" ||
         header.substr(0, 12) == "impersonate-";
}

std::string Render(const PodStreamRequest& r) {
  std::string text =
      absl::StrCat(r.request.method, " ", r.target, " HTTP/1.1\r\nHost: ", r.kubelet.host, ":",
                   r.kubelet.port, "\r\n");
  for (const auto& [name, value] : r.request.headers) {
    if (IsOurs(name) || (r.log && name == "connection")) continue;
    absl::StrAppend(&text, name, ": ", value, "\r\n");
  }
  absl::StrAppend(
      &text, "X-Forwarded-For: ", r.request.remote.substr(0, r.request.remote.rfind(':')), "\r\n");
  if (r.log) text += "Connection: close\r\n";
  return text + "Content-Length: 0\r\n\r\n";
}

// A kubelet's refusal of a log, in the words of apimachinery's NewGenericServerResponse.
absl::Status LogRefusal(int code, const std::string& text, const std::string& pod) {
  if (code == 400) return BadRequestError(text);
  if (code == 500)
    return ApiError(500, "InternalError", absl::StrCat("Internal error occurred: ", text));
  if (code == 404) {
    return ApiError(
        404, "NotFound",
        absl::StrCat("the server could not find the requested resource ( pods/log ", pod, ")"));
  }
  return ApiError(
      code < 400 ? 502 : code, "InternalError",  // Below, it would be no refusal to the client.
      absl::StrCat("an error on the server (\"", text,
                   "\") has prevented the request from succeeding ( pods/log ", pod, ")"));
}

// One request on its way: the kubelet's answer decides what becomes of it.
class Exchange : public std::enable_shared_from_this<Exchange> {
  using State = http::AnswerReader::State;

 public:
  Exchange(bool log, std::string pod, std::shared_ptr<http::Responder> responder, Stream kubelet)
      : log_(log),
        pod_(std::move(pod)),
        responder_(std::move(responder)),
        kubelet_(std::move(kubelet)) {}

  // On the network thread, as all that follows.
  void Start(std::string request, pipe::Connector& connector, absl::Duration timeout) {
    timer_ = connector.After(timeout, [weak = weak_from_this(), timeout] {
      const auto self = weak.lock();
      if (self == nullptr) return;
      self->Answer(ApiError(
          504, "Timeout",
          absl::StrCat("the kubelet has not answered within ", absl::FormatDuration(timeout))));
    });
    kubelet_->Write(std::move(request), [self = shared_from_this()](absl::Status status) {
      if (!status.ok()) return self->Fail(status.message());
      self->Read();
    });
  }

 private:
  void Read() {
    kubelet_->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
      if (!bytes.ok()) return self->Fail(bytes.status().message());
      self->Take(*bytes);
    });
  }

  // Until the head is complete, and for an error its body.
  void Take(const std::string& bytes) {
    if (answered_) return;
    if (!head_done_) absl::StrAppend(&answer_, bytes);
    State state = bytes.empty() ? reader_.End() : reader_.Take(bytes);
    if (state == State::kHead) {
      const int code = reader_.status();
      if (!log_ || (code >= 200 && code <= 206)) return PassOn();
      head_done_ = true;
      answer_.clear();
      state = reader_.Take("");
    }
    error_ += reader_.TakeBody();
    if (error_.size() > kErrorBytesMax) return Refuse();
    switch (state) {
      case State::kHead:
      case State::kMore:
        return Read();
      case State::kDone:
        return Refuse();
      case State::kTooLarge:
        return head_done_ ? Refuse() : Fail("the head of the answer is too long");
      case State::kMalformed:
        return head_done_ ? Refuse() : Fail(bytes.empty() ? "unexpected EOF" : reader_.fault());
    }
  }

  void PassOn() {
    answered_ = true;
    timer_.reset();
    Stream client = responder_->TakeConnection();
    Send(client, std::move(answer_));
  }

  // What is here of the answer in pieces, then whatever comes.
  void Send(const Stream& client, std::string bytes) {
    std::string rest;
    if (bytes.size() > pipe::ByteStream::kChunkBytesMax) {
      rest = bytes.substr(pipe::ByteStream::kChunkBytesMax);
      bytes.resize(pipe::ByteStream::kChunkBytesMax);
    }
    client->Write(std::move(bytes), [self = shared_from_this(), client,
                                     rest = std::move(rest)](absl::Status status) mutable {
      if (!status.ok()) {
        client->Close(status);
        return self->kubelet_->Close(std::move(status));
      }
      if (!rest.empty()) return self->Send(client, std::move(rest));
      pipe::Join(client, self->kubelet_, [](absl::Status) {});
    });
  }

  void Refuse() {
    error_.resize(std::min(error_.size(), kErrorBytesMax));
    Answer(LogRefusal(reader_.status(), error_, pod_));
  }

  void Fail(absl::string_view why) {
    Answer(
        ApiError(502, "InternalError", absl::StrCat("error reading the kubelet's answer: ", why)));
  }

  // The first one: closing the connection ends what waits for it with an error of its own.
  void Answer(const absl::Status& error) {
    if (std::exchange(answered_, true)) return;
    timer_.reset();
    kubelet_->Close(absl::CancelledError("answered"));
    responder_->Send(StatusResponse(error));
  }

  const bool log_;
  const std::string pod_;
  const std::shared_ptr<http::Responder> responder_;
  const Stream kubelet_;
  http::AnswerReader reader_{kLimits, false, true};
  std::string answer_;  // As it came, while it may be passed on.
  std::string error_;
  bool head_done_ = false;
  bool answered_ = false;
  std::shared_ptr<void> timer_;
};

}  // namespace

void PodProxy::Serve(PodStreamRequest request, std::shared_ptr<http::Responder> responder) {
  std::string head = Render(request);
  if (head.size() > pipe::ByteStream::kChunkBytesMax)
    return responder->Send(StatusResponse(BadRequestError("the request is too long")));
  connector_.Connect(
      {.host = request.kubelet.host, .port = request.kubelet.port, .tls = &tls_}, kDialTimeout,
      [this, log = request.log, pod = std::move(request.pod), head = std::move(head),
       responder = std::move(responder)](absl::StatusOr<Stream> kubelet) mutable {
        if (!kubelet.ok()) {
          return responder->Send(StatusResponse(
              ApiError(502, "InternalError",
                       absl::StrCat("error dialing backend: ", kubelet.status().message()))));
        }
        std::make_shared<Exchange>(log, std::move(pod), std::move(responder), *std::move(kubelet))
            ->Start(std::move(head), connector_, answer_timeout_);
      });
}

}  // namespace skerry::kubeapi
