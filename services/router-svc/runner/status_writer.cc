#include "services/router-svc/runner/status_writer.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "services/router-svc/wire/rule_objects.h"

namespace skerry::router {
namespace {

constexpr absl::Duration kWriteTimeout = absl::Seconds(5);

}  // namespace

StatusWriter::StatusWriter(absl::Duration interval, RuleBook& rules, kubeclient::Client& client,
                           Clock& clock, RouterMetrics& metrics, log::Logger log)
    : interval_(interval),
      rules_(rules),
      client_(client),
      metrics_(metrics),
      log_(std::move(log)),
      executor_("status", clock) {}

StatusWriter::~StatusWriter() { Stop(); }

void StatusWriter::Start() { Next(); }

void StatusWriter::Next() {
  executor_.PostAfter(interval_, [this] {
    WriteAll();
    Next();
  });
}

void StatusWriter::WriteAll() {
  std::vector<RuleCounters::Change> changes = rules_.TakeStatus();
  absl::Status failure;
  for (const RuleCounters::Change& change : changes) {
    if (absl::IsUnavailable(failure) || absl::IsDeadlineExceeded(failure) ||
        absl::IsCancelled(failure)) {  // So are the others' turns.
      rules_.ReturnStatus(change);
      continue;
    }
    const size_t slash = change.rule.find('/');
    const absl::Status written =
        client_
            .Patch(Rules(), change.rule.substr(0, slash), change.rule.substr(slash + 1),
                   kubeclient::PatchType::kMerge, RuleStatusPatch(change),
                   {.call = {.timeout = kWriteTimeout, .stop = stop_.get_token()}})
            .status();
    if (written.ok()) {
      metrics_.status_writes.Increment();
      continue;
    }
    // It is gone, or another one has its name: the watch says so soon.
    if (absl::IsNotFound(written) || absl::IsAborted(written)) continue;
    metrics_.status_writes_failed.Increment();
    rules_.ReturnStatus(change);
    failure = written;
  }
  if (!failure.ok() && !failing_ && !absl::IsCancelled(failure))
    log_.Warning("the status of rules can't be written, will retry", failure);
  failing_ = !failure.ok();
}

void StatusWriter::Stop(bool flush) {
  if (flush) executor_.Run([this] { WriteAll(); });
  stop_.request_stop();
  executor_.Stop();
}

}  // namespace skerry::router
