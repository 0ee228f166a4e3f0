#include "services/twin-svc/runner/reading_forwarder.h"

#include <utility>

#include "services/lib/base/error.h"

namespace skerry::twin {
namespace {

constexpr size_t kEventsMax = 1024;  // The hub's bounds of a batch.
constexpr size_t kBytesMax = 1u << 20;

}  // namespace

void ReadingForwarder::Wake() {
  if (posted_.exchange(true)) return;
  executor_.Post([this] {
    posted_.store(false);
    Pump();
  });
}

void ReadingForwarder::PumpAfter(absl::Duration pause) {
  paused_ = true;
  executor_.PostAfter(pause, [this] {
    paused_ = false;
    Pump();
  });
}

void ReadingForwarder::Pump() {
  if (under_way_ || paused_ || !hub_.attached()) return;
  absl::StatusOr<std::vector<ReadingRow>> rows = readings_.Read(sent_, kEventsMax, kBytesMax);
  if (!rows.ok()) {
    log_.Error("readings can't be read", rows.status());
    return PumpAfter(options_.retry);
  }
  if (rows->empty()) return;
  hubclient::EventBatch batch{kReadingStream, options_.producer, {}};
  std::vector<uint64_t> sequences;
  for (ReadingRow& row : *rows) {
    sequences.push_back(row.sequence);
    batch.events.push_back({row.sequence, row.time, std::move(row.device), std::move(row.value)});
  }
  under_way_ = true;
  const bool full = sequences.size() == kEventsMax;
  hub_.PutEvents(std::move(batch), [this, sequences = std::move(sequences), full](
                                       hubclient::EventsPut put) { Ended(sequences, full, put); });
}

void ReadingForwarder::Ended(const std::vector<uint64_t>& sequences, bool full,
                             const hubclient::EventsPut& put) {
  under_way_ = false;
  if (put.stored > 0) sent_ = sequences[put.stored - 1];
  const std::string reason = GetErrorInfo(put.status).reason;
  if (put.status.ok()) {
    on_sent_(sent_);
    return full ? Pump() : PumpAfter(options_.linger);
  }
  if (reason == "STOPPING") return;
  if (reason == "HUB_BUSY") return PumpAfter(options_.retry);
  // It would hold up all others.
  metrics_.readings_refused.Increment();
  sent_ = sequences[put.stored];
  log_.Error("edgehub-svc refused a reading for good", put.status, {{"sequence", sent_}});
  on_sent_(sent_);
  Pump();
}

}  // namespace skerry::twin
