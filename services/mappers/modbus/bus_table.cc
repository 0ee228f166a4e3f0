#include "services/mappers/modbus/bus_table.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"

namespace skerry::mapper::modbus {

BusTable::Member::Member(BusTable& table, std::string key, Bus& bus)
    : table_(table), key_(std::move(key)), bus_(bus) {}

BusTable::Member::~Member() { table_.Leave(key_); }

absl::StatusOr<std::unique_ptr<BusTable::Member>> BusTable::Join(const Line& line) {
  absl::MutexLock lock(&mutex_);
  const std::string key = KeyOf(line);
  Shared& shared = buses_[key];
  if (shared.bus == nullptr) shared.bus = std::make_unique<Bus>(line, clock_);
  if (shared.bus->line() != line) {
    return Error(absl::StatusCode::kFailedPrecondition,
                 absl::StrCat("other devices use ", NameOf(shared.bus->line()),
                              ": give the same baudRate, parity and stopBits, not ", NameOf(line)))
        .Reason("BUS_SETTINGS")
        .Meta("line", NameOf(line));
  }
  ++shared.members;
  return std::make_unique<Member>(*this, key, *shared.bus);
}

void BusTable::Leave(const std::string& key) {
  // Closed under the lock, so that nobody opens the port again before.
  absl::MutexLock lock(&mutex_);
  const auto it = buses_.find(key);
  if (--it->second.members == 0) buses_.erase(it);
}

}  // namespace skerry::mapper::modbus
