#include "services/eventbus-svc/runner/publisher.h"

#include <utility>

#include "services/lib/base/error.h"

namespace skerry::eventbus {
namespace {

constexpr size_t kInFlightMax = 64;
constexpr size_t kInFlightBytesMax = 4 << 20;
constexpr size_t kPageMax = 64;
constexpr size_t kPageBytesMax = 1 << 20;
constexpr absl::Duration kRetry = absl::Seconds(1);
constexpr uint64_t kNowBit = uint64_t{1} << 63;  // Of ids that the store does not give.

}  // namespace

Publisher::Publisher(Journal& journal, exec::SerialExecutor& executor, Publish publish,
                     BusMetrics& metrics, log::Logger log)
    : journal_(journal),
      executor_(executor),
      publish_(std::move(publish)),
      metrics_(metrics),
      log_(std::move(log)) {}

void Publisher::Wake() {
  if (woken_.exchange(true)) return;
  executor_.Post([this] {
    woken_ = false;
    more_ = true;
    Pump();
  });
}

void Publisher::OnConnected() {
  connected_ = true;
  more_ = true;
  Pump();
}

void Publisher::OnDisconnected() {
  ++connection_;
  connected_ = reading_ = retry_ = false;
  cursor_ = 0;
  page_.clear();
  in_flight_.clear();
  in_flight_bytes_ = 0;
  for (auto& [id, done] : std::exchange(now_, {})) {
    done(Error(absl::StatusCode::kUnknown,
               "the connection to the MQTT broker ended: it may have the publication or not")
             .Reason("MQTT_OUTCOME_UNKNOWN"));
  }
}

void Publisher::PublishNow(Publication publication,
                           absl::AnyInvocable<void(const absl::Status&)> done) {
  executor_.Post([this, publication = std::move(publication), done = std::move(done)]() mutable {
    if (now_.size() >= kInFlightMax) {
      return done(Error(absl::StatusCode::kResourceExhausted,
                        "too many publications of the cloud's wait for the MQTT broker: send it "
                        "again")
                      .Reason("MQTT_BUSY"));
    }
    const uint64_t id = kNowBit | ++last_now_;
    const absl::Status given = publish_(id, publication);
    if (!given.ok()) return done(given);
    now_.emplace(id, std::move(done));
  });
}

void Publisher::Pump() {
  if (!connected_) return;
  while (!retry_ && !page_.empty() && in_flight_.size() < kInFlightMax &&
         in_flight_bytes_ < kInFlightBytesMax) {
    WaitingPublication next = std::move(page_.front());
    page_.pop_front();
    const size_t bytes = next.publication.payload.size();
    in_flight_[next.id] = bytes;
    in_flight_bytes_ += bytes;
    const absl::Status given = publish_(next.id, next.publication);
    if (!given.ok()) OnPublished(next.id, given);
  }
  if (retry_ || !page_.empty() || !more_ || reading_) return;
  reading_ = true;
  more_ = false;
  journal_.ReadPublications(
      cursor_, kPageMax, kPageBytesMax,
      [this, connection = connection_](absl::StatusOr<std::vector<WaitingPublication>> page) {
        executor_.Post([this, connection, page = std::move(page)]() mutable {
          OnPage(connection, std::move(page));
        });
      });
}

void Publisher::OnPage(uint64_t connection, absl::StatusOr<std::vector<WaitingPublication>> page) {
  if (connection != connection_ || !connected_) return;
  reading_ = false;
  if (!page.ok()) return log_.Error("what is to be published can't be read", page.status());
  if (!page->empty()) {
    more_ = true;
    cursor_ = page->back().id;
    for (WaitingPublication& each : *page) page_.push_back(std::move(each));
  }
  Pump();
}

void Publisher::OnPublished(uint64_t id, const absl::Status& status) {
  if (const auto now = now_.find(id); now != now_.end()) {
    auto done = std::move(now->second);
    now_.erase(now);
    return done(status);
  }
  const auto it = in_flight_.find(id);
  if (it == in_flight_.end()) return;
  in_flight_bytes_ -= it->second;
  in_flight_.erase(it);
  if (status.ok()) {
    metrics_.published.Increment();
    Done(id);
  } else if (absl::IsPermissionDenied(status) || absl::IsInvalidArgument(status)) {
    log_.Error("the MQTT broker refused a publication", status);
    metrics_.publications_dropped_refused.Increment();
    Done(id);
  } else {
    metrics_.publish_failed.Increment();
    retry_ = true;
  }
  if (!retry_) return Pump();
  if (!in_flight_.empty()) return;
  executor_.PostAfter(kRetry, [this, connection = connection_] {
    if (connection != connection_ || !connected_ || !retry_) return;
    retry_ = false;
    more_ = true;
    cursor_ = 0;
    page_.clear();
    Pump();
  });
}

void Publisher::Done(uint64_t id) { journal_.Submit({.published = {id}}); }

}  // namespace skerry::eventbus
