#include "services/mappers/modbus/port.h"

#include <arpa/inet.h>
#include <modbus/modbus.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"

namespace skerry::mapper::modbus {
namespace {

absl::Status CannotOpen(const Line& line, int error) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("cannot open ", NameOf(line), ": ", strerror(error)))
      .Reason("MODBUS_CANNOT_OPEN")
      .Meta("line", NameOf(line));
}

// select() of a larger one writes behind its set, and ends the process.
absl::Status CheckSelectable(const Line& line, int fd) {
  if (fd < FD_SETSIZE) return absl::OkStatus();
  return Error(absl::StatusCode::kResourceExhausted,
               absl::StrCat("cannot open ", NameOf(line), ": this process has ", FD_SETSIZE,
                            " files open; run a further mapper for some of its devices"))
      .Reason("MODBUS_FILES_FULL");
}

class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int fd() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Address AddressOf(const Line& line) {
  Address address;
  const auto port = htons(static_cast<uint16_t>(line.port));
  auto& four = reinterpret_cast<sockaddr_in&>(address.storage);
  if (inet_pton(AF_INET, line.ip.c_str(), &four.sin_addr) == 1) {
    four.sin_family = AF_INET;
    four.sin_port = port;
    address.size = sizeof four;
    return address;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET6, line.ip.c_str(), &six.sin6_addr) == 1) {
    six.sin6_family = AF_INET6;
    six.sin6_port = port;
    address.size = sizeof six;
  }
  return address;
}

// An errno, or 0 when the connection is made.
int AwaitConnected(int fd, absl::Duration patience) {
  const absl::Duration bounded = std::clamp(patience, absl::ZeroDuration(), absl::Minutes(1));
  pollfd waiting{.fd = fd, .events = POLLOUT, .revents = 0};
  // An interrupted wait ends: who asked tries again later.
  const int ready = poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(bounded)));
  if (ready < 0) return errno;
  if (ready == 0) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// Not by libmodbus, which calls select() without a look at the number of its socket.
absl::StatusOr<int> ConnectTcp(const Line& line, absl::Duration patience) {
  const Address address = AddressOf(line);
  if (address.size == 0) return CannotOpen(line, EADDRNOTAVAIL);
  Socket socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.fd() < 0) return CannotOpen(line, errno);
  SKERRY_RETURN_IF_ERROR(CheckSelectable(line, socket.fd()));
  const int on = 1;
  setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const auto* to = reinterpret_cast<const sockaddr*>(&address.storage);
  if (connect(socket.fd(), to, address.size) != 0) {
    if (errno != EINPROGRESS) return CannotOpen(line, errno);
    const int error = AwaitConnected(socket.fd(), patience);
    if (error != 0) return CannotOpen(line, error);
  }
  return socket.Release();
}

bool IsBits(const Point& point) { return point.type == WireType::kBits; }

int ErrnoOf(int result) { return result < 0 ? (errno == 0 ? EIO : errno) : 0; }

}  // namespace

struct Port::Context {
  explicit Context(modbus_t* made) : modbus(made) {}
  ~Context() {
    if (modbus == nullptr) return;
    modbus_close(modbus);
    modbus_free(modbus);
  }
  modbus_t* const modbus;
};

Port::Port(std::unique_ptr<Context> context, bool serial)
    : context_(std::move(context)), serial_(serial) {
  // The whole answer comes within the response timeout, also where its bytes trickle in.
  modbus_set_byte_timeout(context_->modbus, 0, 0);
}

Port::~Port() {
  // A close of a serial port would wait for what is still to be sent.
  if (serial_) modbus_flush(context_->modbus);
}

absl::StatusOr<std::unique_ptr<Port>> Port::Open(const Line& line, absl::Duration patience) {
  if (!line.serial) {
    SKERRY_ASSIGN_OR_RETURN(const int fd, ConnectTcp(line, patience));
    auto context = std::make_unique<Context>(
        modbus_new_tcp_pi(line.ip.c_str(), absl::StrCat(line.port).c_str()));
    if (context->modbus == nullptr) {
      const int error = errno;
      close(fd);
      return CannotOpen(line, error);
    }
    modbus_set_socket(context->modbus, fd);
    return std::unique_ptr<Port>(new Port(std::move(context), false));
  }
  auto context = std::make_unique<Context>(
      modbus_new_rtu(line.path.c_str(), line.baud_rate, line.parity, 8, line.stop_bits));
  if (context->modbus == nullptr || modbus_connect(context->modbus) != 0) {
    return CannotOpen(line, errno);
  }
  const int fd = modbus_get_socket(context->modbus);
  SKERRY_RETURN_IF_ERROR(CheckSelectable(line, fd));
  // Two who speak at the same time would garble each other's.
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return CannotOpen(line, errno == EAGAIN ? EBUSY : errno);
  return std::unique_ptr<Port>(new Port(std::move(context), true));
}

int Port::Prepare(int slave, absl::Duration timeout) {
  const int64_t micros = std::max<int64_t>(absl::ToInt64Microseconds(timeout), 1);
  if (modbus_set_slave(context_->modbus, slave) != 0) return errno;
  modbus_set_response_timeout(context_->modbus, static_cast<uint32_t>(micros / 1000000),
                              static_cast<uint32_t>(micros % 1000000));
  // What came too late for the request before must not answer this one.
  return serial_ ? ErrnoOf(modbus_flush(context_->modbus)) : 0;
}

int Port::Read(int slave, const Point& point, absl::Duration timeout,
               std::vector<uint16_t>& words) {
  if (const int error = Prepare(slave, timeout); error != 0) return error;
  words.assign(point.count, 0);
  std::vector<uint8_t> bits(IsBits(point) ? point.count : 0);
  modbus_t* modbus = context_->modbus;
  errno = 0;
  int result = -1;
  switch (point.table) {
    case Table::kCoil:
      result = modbus_read_bits(modbus, point.offset, point.count, bits.data());
      break;
    case Table::kDiscreteInput:
      result = modbus_read_input_bits(modbus, point.offset, point.count, bits.data());
      break;
    case Table::kHolding:
      result = modbus_read_registers(modbus, point.offset, point.count, words.data());
      break;
    case Table::kInput:
      result = modbus_read_input_registers(modbus, point.offset, point.count, words.data());
      break;
  }
  std::copy(bits.begin(), bits.end(), words.begin());
  return ErrnoOf(result);
}

int Port::Write(int slave, const Point& point, absl::Duration timeout,
                std::span<const uint16_t> words) {
  if (const int error = Prepare(slave, timeout); error != 0) return error;
  modbus_t* modbus = context_->modbus;
  const auto count = static_cast<int>(words.size());
  errno = 0;
  if (point.table == Table::kHolding) {
    return ErrnoOf(count == 1 ? modbus_write_register(modbus, point.offset, words[0])
                              : modbus_write_registers(modbus, point.offset, count, words.data()));
  }
  const std::vector<uint8_t> bits(words.begin(), words.end());
  return ErrnoOf(count == 1 ? modbus_write_bit(modbus, point.offset, bits[0])
                            : modbus_write_bits(modbus, point.offset, count, bits.data()));
}

}  // namespace skerry::mapper::modbus
