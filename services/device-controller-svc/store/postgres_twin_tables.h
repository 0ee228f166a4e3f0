// The tables of PostgresTwinHistoryStore, and what its transactions are made of.
#ifndef SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TWIN_TABLES_H_
#define SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TWIN_TABLES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "services/device-controller-svc/store/twin_history_store.h"
#include "services/device-controller-svc/store/twin_rules.h"
#include "services/lib/postgres/pool.h"

namespace pqxx {
class result;
}  // namespace pqxx

// libpqxx's exceptions leave all but Migrate: they are for Pool::Transact, which makes them
// statuses.
namespace skerry::devicecontroller::postgres_twin_tables {

using Transaction = pqxx::transaction_base;

absl::Status Migrate(postgres::Pool& pool);

// In the order in which Rows reads them, of `e`.
inline constexpr char kColumns[] =
    "e.property, e.side, e.uid, e.value, e.metadata, e.writer, e.write_time, e.order_major,"
    " e.order_minor, e.arrive_time, e.replace_time";

int16_t Number(TwinSide side);
absl::StatusOr<std::vector<TwinEntry>> Rows(const pqxx::result& result);

// Until the transaction ends nobody else changes the twin. Before all else: of a twin that is not
// there yet there is no other lock, and what comes later must have the later time.
void LockTwin(Transaction& transaction, const DeviceName& device);

struct Known {
  std::optional<twin_rules::DeviceState> device;
  int64_t now_micros = 0;
};
Known Find(Transaction& transaction, const DeviceName& device);
void SaveDevice(Transaction& transaction, const TwinKey& twin, bool ended, int64_t arrival);

// The present entries: their orders, of what is to be written; how many; their end; their
// successors.
std::map<std::string, TwinOrder> Orders(Transaction& transaction, const DeviceName& device,
                                        TwinSide side,
                                        const std::vector<twin_rules::Write>& writes);
int64_t Count(Transaction& transaction, const DeviceName& device, TwinSide side);
void ReplaceAll(Transaction& transaction, const DeviceName& device, int64_t arrival);
void Store(Transaction& transaction, const TwinKey& twin, TwinSide side,
           const std::vector<twin_rules::Write>& writes, int64_t arrival);

}  // namespace skerry::devicecontroller::postgres_twin_tables

#endif  // SKERRY_SERVICES_DEVICE_CONTROLLER_SVC_STORE_POSTGRES_TWIN_TABLES_H_
