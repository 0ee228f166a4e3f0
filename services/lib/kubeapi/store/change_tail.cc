#include "services/lib/kubeapi/store/change_tail.h"

#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/store/postgres_tables.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kPage = 500;

}  // namespace

ChangeTail::ChangeTail(postgres::Pool* pool, WatchHub* hub, absl::Duration poll_interval,
                       log::Logger log)
    : pool_(pool),
      hub_(hub),
      listener_(*pool,
                {.name = "object-tail",
                 .channel = postgres_tables::kChannel,
                 .poll_interval = poll_interval},
                {.read = [this](bool) { return ReadNew(); },
                 .heard = [this](const std::vector<std::string>&) { return ReadNew(); },
                 .state = nullptr},
                std::move(log)) {}

absl::Status ChangeTail::ReadNew() {
  for (;;) {
    std::vector<Change> changes;
    SKERRY_RETURN_IF_ERROR(pool_->Transact(
        "read changes", postgres::Pool::Mode::kSnapshot, [&](pqxx::transaction_base& transaction) {
          changes = postgres_tables::ReadTail(transaction, hub_->tail(), kPage);
          return absl::OkStatus();
        }));
    const bool last = changes.size() < kPage;
    hub_->Publish(std::move(changes));
    if (last) return absl::OkStatus();
  }
}

}  // namespace skerry::kubeapi
