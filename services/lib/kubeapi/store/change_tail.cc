#include "services/lib/kubeapi/store/change_tail.h"

#include <pqxx/pqxx>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/thread_name.h"
#include "services/lib/kubeapi/store/postgres_tables.h"
#include "services/lib/postgres/pq_errors.h"

namespace skerry::kubeapi {
namespace {

constexpr size_t kPage = 500;
constexpr absl::Duration kRetry = absl::Seconds(1);
// How long the end of the store may take.
constexpr absl::Duration kWaitSlice = absl::Milliseconds(100);

class Announced final : public pqxx::notification_receiver {
 public:
  explicit Announced(pqxx::connection_base& connection)
      : notification_receiver(connection, postgres_tables::kChannel) {}
  void operator()(const std::string&, int) override { announced_ = true; }
  bool Take() { return std::exchange(announced_, false); }

 private:
  bool announced_ = false;
};

}  // namespace

ChangeTail::ChangeTail(postgres::Pool* pool, WatchHub* hub, absl::Duration poll_interval,
                       log::Logger log)
    : pool_(pool), hub_(hub), poll_interval_(poll_interval), log_(std::move(log)), thread_([this] {
        Loop();
      }) {}

ChangeTail::~ChangeTail() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

bool ChangeTail::Stopping() {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void ChangeTail::Pause() {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRetry);
}

void ChangeTail::Loop() {
  exec::SetThreadName("object-tail");
  while (!Stopping()) {
    const absl::Status status = Follow();
    if (Stopping()) return;
    log_.Warning("lost the database's changes, watches wait until it is back", status);
    Pause();
  }
}

absl::Status ChangeTail::Follow() {
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<pqxx::connection> connection,
                          pool_->Connect());
  return postgres::CatchPq("follow changes", [&]() -> absl::Status {
    Announced announced(*connection);
    // What came before the connection listened.
    SKERRY_RETURN_IF_ERROR(ReadNew());
    absl::Time read_at = absl::Now();
    while (!Stopping()) {
      connection->await_notification(
          0, static_cast<long>(absl::ToInt64Microseconds(kWaitSlice)));  // NOLINT
      if (!announced.Take() && absl::Now() < read_at + poll_interval_) continue;
      SKERRY_RETURN_IF_ERROR(ReadNew());
      read_at = absl::Now();
    }
    return absl::OkStatus();
  });
}

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
