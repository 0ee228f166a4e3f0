// Hands what was reported to edgehub-svc.
#ifndef SKERRY_SERVICES_TWIN_SVC_RUNNER_READING_FORWARDER_H_
#define SKERRY_SERVICES_TWIN_SVC_RUNNER_READING_FORWARDER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/lib/exec/serial_executor.h"
#include "services/lib/hubclient/hub_client.h"
#include "services/lib/log/logger.h"
#include "services/twin-svc/metrics.h"
#include "services/twin-svc/store/reading_log.h"

namespace skerry::twin {

inline constexpr char kReadingStream[] = "readings";

// Reads the readings of the store in order and puts them, one batch at a time, while edgehub-svc
// is there; however many wait, it keeps one batch. What is put again after a crash is known there
// by its sequence. Wake: any thread; the rest is on `executor`, which is the hub client's, and is
// stopped before this is destroyed. References outlive it.
class ReadingForwarder {
 public:
  struct Options {
    std::string producer;  // Of the store.
    uint64_t sent = 0;     // Up to there edgehub-svc has them.
    // From a batch that was not full to the next: what comes meanwhile is one commit there.
    absl::Duration linger = absl::Milliseconds(50);
    absl::Duration retry = absl::Seconds(1);
  };
  // `on_sent`: edgehub-svc has them up to this sequence.
  ReadingForwarder(Options options, ReadingLog& readings, hubclient::HubClient& hub,
                   exec::SerialExecutor& executor, std::function<void(uint64_t)> on_sent,
                   TwinMetrics& metrics, log::Logger log)
      : options_(std::move(options)),
        readings_(readings),
        hub_(hub),
        executor_(executor),
        on_sent_(std::move(on_sent)),
        metrics_(metrics),
        log_(std::move(log)),
        sent_(options_.sent) {}

  // There may be new readings, or edgehub-svc is there.
  void Wake();

 private:
  void Pump();
  void Ended(const std::vector<uint64_t>& sequences, bool full, const hubclient::EventsPut& put);
  void PumpAfter(absl::Duration pause);

  const Options options_;
  ReadingLog& readings_;
  hubclient::HubClient& hub_;
  exec::SerialExecutor& executor_;
  const std::function<void(uint64_t)> on_sent_;
  TwinMetrics& metrics_;
  const log::Logger log_;
  std::atomic<bool> posted_ = false;
  // On the executor.
  uint64_t sent_;
  bool under_way_ = false;
  bool paused_ = false;  // A Pump is to come.
};

}  // namespace skerry::twin

#endif  // SKERRY_SERVICES_TWIN_SVC_RUNNER_READING_FORWARDER_H_
