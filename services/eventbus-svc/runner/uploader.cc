#include "services/eventbus-svc/runner/uploader.h"

#include <algorithm>
#include <utility>

namespace skerry::eventbus {
namespace {

constexpr size_t kBatchMax = 256;
constexpr size_t kBatchBytesMax = 512 << 10;  // With one more message still below 1 MiB.

}  // namespace

Uploader::Uploader(const Options& options, Journal& journal, exec::SerialExecutor& executor,
                   Put put, BusMetrics& metrics, log::Logger log)
    : options_(options),
      journal_(journal),
      executor_(executor),
      put_(std::move(put)),
      metrics_(metrics),
      log_(std::move(log)) {}

void Uploader::Wake() {
  if (woken_.exchange(true)) return;
  executor_.Post([this] {
    woken_ = false;
    more_ = true;
    Pump();
  });
}

void Uploader::Pump() {
  if (busy_ || !more_) return;
  busy_ = true;
  more_ = false;
  journal_.ReadUploads(
      cursor_, kBatchMax, kBatchBytesMax, [this](absl::StatusOr<std::vector<WaitingUpload>> page) {
        executor_.Post([this, page = std::move(page)]() mutable { OnPage(std::move(page)); });
      });
}

void Uploader::OnPage(absl::StatusOr<std::vector<WaitingUpload>> page) {
  if (!page.ok()) {
    log_.Error("user messages can't be read", page.status());
    return Next(options_.retry);
  }
  if (page->empty()) {
    busy_ = false;
    return Pump();
  }
  std::vector<uint64_t> sequences;
  for (const WaitingUpload& each : *page) sequences.push_back(each.sequence);
  put_(*page, [this, sequences = std::move(sequences)](size_t stored, const absl::Status& status) {
    executor_.Post([this, sequences, stored, status] { OnPut(sequences, stored, status); });
  });
}

void Uploader::OnPut(const std::vector<uint64_t>& sequences, size_t stored,
                     const absl::Status& status) {
  size_t over = status.ok() ? sequences.size() : std::min(stored, sequences.size());
  metrics_.uploads_handed_over.Increment(static_cast<double>(over));
  const bool refused = absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
  if (!status.ok()) log_.Warning("edgehub-svc did not take a user message", status);
  if (refused && over < sequences.size()) {
    ++over;  // It would hold up all others.
    metrics_.uploads_dropped_refused.Increment();
  }
  if (over > 0) {
    cursor_ = sequences[over - 1];
    journal_.Submit({.uploaded = cursor_});
  }
  Next(status.ok() || refused ? absl::ZeroDuration() : options_.retry);
}

void Uploader::Next(absl::Duration pause) {
  more_ = true;
  executor_.PostAfter(pause, [this] {
    busy_ = false;
    Pump();
  });
}

}  // namespace skerry::eventbus
