#include "services/edged-svc/docker/engine_stream.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace skerry::edged {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

namespace {

// Its state is the network thread's.
template <typename Socket>
class UpgradedStream final : public EngineStream,
                             public std::enable_shared_from_this<UpgradedStream<Socket>> {
 public:
  UpgradedStream(std::shared_ptr<EngineNetwork> network, Socket socket, std::string rest)
      : network_(std::move(network)), socket_(std::move(socket)), rest_(std::move(rest)) {}

  void Register() {
    network_->Add(this, [weak = this->weak_from_this()] {
      if (const auto self = weak.lock(); self != nullptr) self->DoClose();
    });
  }

  void Read(ReadDone done) override {
    auto call = std::make_shared<ReadDone>(std::move(done));
    if (!network_->Post([self = this->shared_from_this(), call] { self->DoRead(call); }))
      (*call)(Ended());
  }

  void Write(std::string bytes, WriteDone done) override {
    auto call = std::make_shared<WriteDone>(std::move(done));
    if (!network_->Post(
            [self = this->shared_from_this(), call, bytes = std::move(bytes)]() mutable {
              self->DoWrite(std::move(bytes), call);
            }))
      (*call)(Ended());
  }

  void CloseWrite() override {
    (void)network_->Post([self = this->shared_from_this()] {
      self->write_closes_ = true;
      self->ShutdownWhenWritten();
    });
  }

  void Close(absl::Status) override {
    (void)network_->Post([self = this->shared_from_this()] { self->DoClose(); });
  }

 private:
  absl::Status Ended() const { return absl::CancelledError("the stream was closed"); }

  void DoRead(const std::shared_ptr<ReadDone>& call) {
    if (closed_) return (*call)(Ended());
    if (!rest_.empty()) {
      std::string bytes = rest_.substr(0, kChunkBytesMax);
      rest_.erase(0, bytes.size());
      return (*call)(std::move(bytes));
    }
    input_.resize(kChunkBytesMax);
    socket_.async_read_some(asio::buffer(input_), [self = this->shared_from_this(), call](
                                                      const ErrorCode& error, size_t n) {
      if (self->closed_) return (*call)(self->Ended());
      if (error == asio::error::eof) return (*call)(std::string());
      if (error) return (*call)(absl::UnavailableError(error.message()));
      (*call)(self->input_.substr(0, n));
    });
  }

  void DoWrite(std::string bytes, const std::shared_ptr<WriteDone>& call) {
    if (closed_ || write_closes_) return (*call)(Ended());
    output_ = std::move(bytes);
    writing_ = true;
    asio::async_write(socket_, asio::buffer(output_),
                      [self = this->shared_from_this(), call](const ErrorCode& error, size_t) {
                        self->writing_ = false;
                        self->ShutdownWhenWritten();
                        if (self->closed_) return (*call)(self->Ended());
                        (*call)(error ? absl::UnavailableError(error.message()) : absl::OkStatus());
                      });
  }

  void ShutdownWhenWritten() {
    if (!write_closes_ || writing_ || closed_) return;
    ErrorCode ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }

  void DoClose() {
    if (std::exchange(closed_, true)) return;
    network_->Remove(this);
    ErrorCode ignored;
    socket_.close(ignored);
  }

  const std::shared_ptr<EngineNetwork> network_;
  Socket socket_;
  std::string rest_, input_, output_;
  bool writing_ = false, write_closes_ = false, closed_ = false;
};

}  // namespace

std::shared_ptr<EngineStream> MakeEngineStream(std::shared_ptr<EngineNetwork> network,
                                               asio::local::stream_protocol::socket socket,
                                               std::string rest) {
  auto stream = std::make_shared<UpgradedStream<asio::local::stream_protocol::socket>>(
      std::move(network), std::move(socket), std::move(rest));
  stream->Register();
  return stream;
}

std::shared_ptr<EngineStream> MakeEngineStream(std::shared_ptr<EngineNetwork> network,
                                               asio::ip::tcp::socket socket) {
  auto stream = std::make_shared<UpgradedStream<asio::ip::tcp::socket>>(std::move(network),
                                                                        std::move(socket), "");
  stream->Register();
  return stream;
}

}  // namespace skerry::edged
