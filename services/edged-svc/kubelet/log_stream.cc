#include "services/edged-svc/kubelet/log_stream.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "services/lib/http/wire.h"

namespace skerry::edged {
namespace {

constexpr absl::Duration kLookAgain = absl::Milliseconds(200);
constexpr size_t kStepBytes = 24u << 10;

}  // namespace

LogStream::LogStream(std::shared_ptr<pipe::ByteStream> client, std::unique_ptr<LogFile> file,
                     const LogOptions& options, Deps deps)
    : client_(std::move(client)),
      file_(std::move(file)),
      options_(options),
      deps_(std::move(deps)),
      formatter_(options) {}

void LogStream::Start() {
  WatchClient();
  const std::vector<std::pair<std::string, std::string>> headers = {{"Content-Type", "text/plain"}};
  wire_ = http::RenderHead({.status = 200, .headers = &headers, .keep_alive = false}, absl::Now());
  WriteOut();
}

// Clients say nothing after their request: what ends the read is that they go.
void LogStream::WatchClient() {
  client_->Read([self = shared_from_this()](absl::StatusOr<std::string> bytes) {
    if (bytes.ok() && !bytes->empty()) return self->WatchClient();
    self->gone_ = true;
    self->client_->Close(bytes.status());
  });
}

void LogStream::Submit() {
  if (gone_) return;
  if (!deps_.pool.TrySubmit([self = shared_from_this()] { self->Step(); })) Later();
}

void LogStream::Later() {
  deps_.timers.PostAfter(kLookAgain, [self = shared_from_this()] { self->Submit(); });
}

void LogStream::Step() {
  // Asked before reading: what a container wrote before its end is then read.
  const bool final = !options_.follow || deps_.ended();
  std::string body;
  absl::StatusOr<bool> more = file_->Read([&](absl::string_view line) {
    formatter_.Append(line, body);
    return body.size() < kStepBytes && !formatter_.Full();
  });
  if (!body.empty()) {
    last_ = formatter_.Full();
    return SendChunk(body);
  }
  if (formatter_.Full() || !more.ok()) return Finish();
  if (*more) return Submit();
  if (!final) return Later();
  formatter_.Append(file_->rest(), body);
  last_ = true;
  SendChunk(body);
}

void LogStream::SendChunk(const std::string& body) {
  wire_ = body.empty() ? "" : absl::StrCat(absl::StrFormat("%x\r\n", body.size()), body, "\r\n");
  if (last_) wire_ += "0\r\n\r\n";
  WriteOut();
}

void LogStream::Finish() {
  last_ = true;
  SendChunk("");
}

void LogStream::WriteOut() {
  if (offset_ >= wire_.size()) {
    wire_.clear();
    offset_ = 0;
    if (last_) return client_->Close(absl::OkStatus());
    return Submit();
  }
  std::string piece = wire_.substr(offset_, pipe::ByteStream::kChunkBytesMax);
  offset_ += piece.size();
  client_->Write(std::move(piece), [self = shared_from_this()](absl::Status status) {
    if (!status.ok()) {
      self->gone_ = true;
      return self->client_->Close(std::move(status));
    }
    self->WriteOut();
  });
}

}  // namespace skerry::edged
