#include "services/edged-svc/streaming/connection_watch.h"

#include "absl/strings/str_cat.h"

namespace skerry::edged {

template <typename Work>
exec::SerialExecutor::TimerId ConnectionWatch::After(absl::Duration delay, Work work) {
  return timers_.PostAfter(delay, [weak = connection_, self = weak_from_this(), work] {
    const auto connection = weak.lock();
    if (connection == nullptr) return;
    connection->strand().Run([connection, self, work] {
      if (const auto watch = self.lock(); watch != nullptr) work(*watch, *connection);
    });
  });
}

void ConnectionWatch::Start(Events events) {
  const auto connection = connection_.lock();
  if (connection == nullptr) return;
  const auto self = shared_from_this();
  connection->OnEnd([self, ended = std::move(events.ended)](absl::Status status) mutable {
    self->timers_.Cancel(self->creation_timer_);
    self->timers_.Cancel(self->timer_);
    self->timer_ =
        self->After(self->times_.closing,
                    [](ConnectionWatch&, StreamConnection& connection) { connection.Abort(); });
    ended(std::move(status));
  });
  connection->OnClosed([self, closed = std::move(events.closed)]() mutable {
    self->timers_.Cancel(self->timer_);
    closed();
  });
  creation_timer_ = After(times_.creation, [](ConnectionWatch& watch,
                                              StreamConnection& connection) {
    if (watch.ready_) return;
    connection.Leave(absl::DeadlineExceededError("the client did not open its streams in time"));
  });
  chunks_ = connection->chunks();
  CheckIdle();
}

void ConnectionWatch::CheckIdle() {
  timer_ =
      After(times_.idle / kIdleSteps, [](ConnectionWatch& watch, StreamConnection& connection) {
        if (connection.ended()) return;
        const uint64_t now = connection.chunks();
        watch.idle_steps_ = now == watch.chunks_ ? watch.idle_steps_ + 1 : 0;
        watch.chunks_ = now;
        if (watch.idle_steps_ >= kIdleSteps) {
          return connection.Leave(absl::DeadlineExceededError(
              absl::StrCat("nothing moved for ", absl::FormatDuration(watch.times_.idle))));
        }
        watch.CheckIdle();
      });
}

}  // namespace skerry::edged
