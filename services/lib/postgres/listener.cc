#include "services/lib/postgres/listener.h"

#include <pqxx/pqxx>
#include <utility>

#include "absl/time/clock.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/exec/thread_name.h"
#include "services/lib/postgres/pq_errors.h"

namespace skerry::postgres {
namespace {

constexpr absl::Duration kRetry = absl::Seconds(1);
// How long the end may take.
constexpr absl::Duration kWaitSlice = absl::Milliseconds(100);

class Announced final : public pqxx::notification_receiver {
 public:
  Announced(pqxx::connection_base& connection, const std::string& channel)
      : notification_receiver(connection, channel) {}
  void operator()(const std::string& payload, int) override { payloads_.push_back(payload); }
  std::vector<std::string> Take() { return std::exchange(payloads_, {}); }

 private:
  std::vector<std::string> payloads_;
};

}  // namespace

Listener::Listener(Pool& pool, Options options, Events events, log::Logger log)
    : pool_(pool),
      options_(std::move(options)),
      events_(std::move(events)),
      log_(std::move(log)),
      thread_([this] { Loop(); }) {}

Listener::~Listener() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  thread_.join();
}

bool Listener::Stopping() {
  absl::MutexLock lock(&mutex_);
  return stopping_;
}

void Listener::Pause() {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&stopping_), kRetry);
}

void Listener::Loop() {
  exec::SetThreadName(options_.name);
  while (!Stopping()) {
    const absl::Status status = Follow();
    if (events_.state) events_.state(false);
    if (Stopping()) return;
    log_.Warning("the database's announcements are not heard until it is back", status,
                 {{"listener", options_.name}});
    Pause();
  }
}

absl::Status Listener::Follow() {
  SKERRY_ASSIGN_OR_RETURN(const std::unique_ptr<pqxx::connection> connection, pool_.Connect());
  return CatchPq("listen", [&]() -> absl::Status {
    Announced announced(*connection, options_.channel);
    SKERRY_RETURN_IF_ERROR(events_.read(true));
    if (events_.state) events_.state(true);
    absl::Time read_at = absl::Now();
    while (!Stopping()) {
      connection->await_notification(
          0, static_cast<long>(absl::ToInt64Microseconds(kWaitSlice)));  // NOLINT
      const std::vector<std::string> payloads = announced.Take();
      if (!payloads.empty()) SKERRY_RETURN_IF_ERROR(events_.heard(payloads));
      if (absl::Now() < read_at + options_.poll_interval) continue;
      SKERRY_RETURN_IF_ERROR(events_.read(false));
      read_at = absl::Now();
    }
    return absl::OkStatus();
  });
}

}  // namespace skerry::postgres
