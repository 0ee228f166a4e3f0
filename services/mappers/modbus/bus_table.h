// The lines in use.
#ifndef SKERRY_SERVICES_MAPPERS_MODBUS_BUS_TABLE_H_
#define SKERRY_SERVICES_MAPPERS_MODBUS_BUS_TABLE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/clock.h"
#include "services/mappers/modbus/bus.h"

namespace skerry::mapper::modbus {

// Devices of one serial port, or of one TCP address, share a bus; with the last of them it is
// closed. Any thread may call it; it outlives its members, and `clock` outlives it. Each device is
// on one bus, so there are no more of them.
class BusTable {
 public:
  explicit BusTable(Clock& clock) : clock_(clock) {}

  class Member {
   public:
    Member(BusTable& table, std::string key, Bus& bus);
    ~Member();
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;
    Bus& bus() const { return bus_; }

   private:
    BusTable& table_;
    const std::string key_;
    Bus& bus_;
  };

  // FAILED_PRECONDITION / BUS_SETTINGS where other devices use the port with other settings. Does
  // not open it.
  absl::StatusOr<std::unique_ptr<Member>> Join(const Line& line);

 private:
  struct Shared {
    std::unique_ptr<Bus> bus;
    int members = 0;
  };

  void Leave(const std::string& key);

  Clock& clock_;
  absl::Mutex mutex_;
  std::map<std::string, Shared> buses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::mapper::modbus

#endif  // SKERRY_SERVICES_MAPPERS_MODBUS_BUS_TABLE_H_
