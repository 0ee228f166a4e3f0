// A TCP server that answers whatever a test says.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_RAW_SERVER_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_RAW_SERVER_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>

namespace skerry::mapper::modbus {

// On a free port of 127.0.0.1, one connection at a time. `serve` is called with each on the
// server's thread; it is closed afterwards.
class RawServer {
 public:
  class Peer {
   public:
    explicit Peer(int fd) : fd_(fd) {}
    // One request of 12 bytes, as reads are; empty where the client has gone.
    std::string Request();
    // False where the client has gone.
    bool Send(const std::string& bytes);

   private:
    const int fd_;
  };

  explicit RawServer(std::function<void(Peer& peer)> serve);
  ~RawServer();  // The client has closed its connection by then.

  int port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void Loop();

  const std::function<void(Peer&)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::thread thread_;
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_TESTING_RAW_SERVER_H_
