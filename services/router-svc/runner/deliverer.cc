#include "services/router-svc/runner/deliverer.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/lib/base/error.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/http/end_to_end.h"

namespace skerry::router {
namespace {

constexpr size_t kBatchMax = 16;  // Between two commits; then another rule has its turn.
// A rule whose endpoints are not there (yet): how often its messages' age is looked at.
constexpr absl::Duration kInvalidRecheck = absl::Seconds(10);

}  // namespace

Deliverer::Deliverer(Options options, RuleBook& rules, MessageStore& store, http::Caller& caller,
                     Clock& clock, RouterMetrics& metrics, log::Logger log)
    : options_(options),
      rules_(rules),
      store_(store),
      caller_(caller),
      clock_(clock),
      metrics_(metrics),
      log_(std::move(log)),
      controller_({.name = "delivery",
                   .workers = options.workers,
                   .queue = {.backoff_max = options.store_backoff_max}},
                  clock, metrics.delivery, log_,
                  [this](const std::string& rule) { return Reconcile(rule); }) {}

void Deliverer::Start() {
  controller_.Start();
  for (const std::string& rule : store_.RulesWaiting()) controller_.Add(rule);
}

void Deliverer::Stop() {
  stop_.request_stop();
  controller_.Stop();
}

void Deliverer::BeginPause(const std::string& rule, int64_t message) {
  absl::MutexLock lock(&mutex_);
  Attempts& attempts = attempts_[rule];
  if (attempts.message != message) attempts = {.message = message};
  attempts.until = clock_.Monotonic() +
                   Backoff(options_.policy, ++attempts.count, absl::Uniform(random_, 0.0, 1.0));
}

absl::Duration Deliverer::PauseLeft(const std::string& rule) {
  absl::MutexLock lock(&mutex_);
  const auto it = attempts_.find(rule);
  if (it == attempts_.end()) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), it->second.until - clock_.Monotonic());
}

absl::Status Deliverer::Bury(const Message& message, absl::string_view error) {
  SKERRY_ASSIGN_OR_RETURN(const int64_t dropped, store_.Bury(message.id, error, clock_.Now()));
  metrics_.Delivery("dead");
  metrics_.dead_letters_dropped.Increment(static_cast<double>(dropped));
  rules_.Failed(message.rule, error);
  log_.Warning("a message is a dead letter",
               {{"rule", message.rule}, {"node", message.node}, {"error", error}});
  return absl::OkStatus();
}

absl::StatusOr<Deliverer::Result> Deliverer::Deliver(const Route& route, const Message& message) {
  http::Call call{.method = "POST",
                  .url = route.url,
                  .headers = {{"Idempotency-Key", message.key},
                              {"Skerry-Node", message.node},
                              {"Skerry-Source", message.source}},
                  .body = message.payload,
                  .timeout = options_.timeout,
                  .stop = stop_.get_token()};
  if (!message.content_type.empty() && http::IsHeaderValue(message.content_type))
    call.headers.emplace_back("Content-Type", message.content_type);
  const absl::Duration began = clock_.Monotonic();
  const absl::StatusOr<http::CallAnswer> answer = caller_.Perform(call);
  metrics_.delivery_seconds.Observe(absl::ToDoubleSeconds(clock_.Monotonic() - began));
  const Verdict verdict = answer.ok() ? JudgeAnswer(answer->status) : JudgeError(answer.status());
  if (verdict == Verdict::kArrived) {
    metrics_.Delivery("arrived");
    return Result::kArrived;
  }
  if (stop_.stop_requested()) return Result::kAgain;
  const std::string error = answer.ok() ? absl::StrCat("the target answered ", answer->status)
                                        : absl::StrCat(GetErrorInfo(answer.status()).reason, ": ",
                                                       answer.status().message());
  if (verdict == Verdict::kNever) {
    SKERRY_RETURN_IF_ERROR(Bury(message, error));
    return Result::kBuried;
  }
  if (clock_.Now() - message.receive_time >= options_.policy.age_max) {
    SKERRY_RETURN_IF_ERROR(
        Bury(message,
             absl::StrCat("not in ", absl::FormatDuration(options_.policy.age_max), ": ", error)));
    return Result::kBuried;
  }
  metrics_.Delivery("again");
  return Result::kAgain;
}

absl::StatusOr<reconcile::Outcome> Deliverer::Reconcile(const std::string& rule) {
  SKERRY_ASSIGN_OR_RETURN(const std::vector<Message> messages, store_.Waiting(rule, kBatchMax));
  if (messages.empty()) {
    absl::MutexLock lock(&mutex_);
    attempts_.erase(rule);
    return reconcile::Outcome::Done();
  }
  if (const absl::Duration left = PauseLeft(rule); left > absl::ZeroDuration())
    return reconcile::Outcome::RecheckAfter(left);
  const std::shared_ptr<const RouteTable> table = rules_.Table();
  const Route* route = table->Find(rule);
  // One that is no rule for messages of nodes (any more) is as good as gone.
  const bool gone = route == nullptr ? !rules_.Exists(rule) : route->url.empty();
  std::vector<int64_t> arrived;
  absl::Duration pause = absl::ZeroDuration();
  absl::Status failed;
  for (const Message& message : messages) {
    if (gone ||
        (route == nullptr && clock_.Now() - message.receive_time >= options_.policy.age_max)) {
      failed = Bury(message, gone ? "the rule is gone" : "the rule is not valid, see its status");
      if (!failed.ok()) break;
      continue;
    }
    if (route == nullptr) {
      pause = kInvalidRecheck;
      break;
    }
    const absl::StatusOr<Result> result = Deliver(*route, message);
    failed = result.status();
    if (!failed.ok()) break;
    if (*result == Result::kArrived) arrived.push_back(message.id);
    if (*result == Result::kAgain) {
      BeginPause(rule, message.id);
      break;
    }
  }
  SKERRY_RETURN_IF_ERROR(store_.Remove(arrived));
  rules_.Succeeded(rule, static_cast<int64_t>(arrived.size()));
  SKERRY_RETURN_IF_ERROR(failed);
  return reconcile::Outcome::RecheckAfter(std::max(pause, PauseLeft(rule)));
}

}  // namespace skerry::router
