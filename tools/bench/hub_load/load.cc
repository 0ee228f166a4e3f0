#include "tools/bench/hub_load/load.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"

namespace skerry::bench {
namespace {

// Of a load without a rate: enough to keep both ends busy, few enough that nobody queues long.
constexpr int kOutstandingMax = 512;
constexpr absl::Duration kAnswerMax = absl::Minutes(1);

// When a load ends.
class Period {
 public:
  explicit Period(const LoadOptions& options)
      : told_to_end_(options.told_to_end), end_(begin_ + options.time) {}
  // How much of it has passed.
  absl::Duration Passed() {
    const absl::Duration now = EventLoop::Now();
    if (told_to_end_ && told_to_end_()) end_ = std::min(end_, now);
    return std::min(now, end_) - begin_;
  }
  bool Over() {
    const absl::Duration passed = Passed();
    return passed >= end_ - begin_;
  }

 private:
  const std::function<bool()>& told_to_end_;
  const absl::Duration begin_ = EventLoop::Now();
  absl::Duration end_;
};

// Sends what the rate has made due, every millisecond or so, to the nodes in turn.
class Pacer {
 public:
  Pacer(EventLoop& loop, Path& path, const LoadOptions& options, const std::string& payload,
        Period& period, int64_t& sent)
      : loop_(loop),
        path_(path),
        options_(options),
        payload_(payload),
        period_(period),
        sent_(sent) {
    Turn();
  }
  ~Pacer() { loop_.Cancel(timer_); }

 private:
  void Turn() {
    const double due = options_.rate * absl::ToDoubleSeconds(period_.Passed());
    while (static_cast<double>(sent_) < due) {
      path_.Send(static_cast<int>(sent_++ % options_.nodes), payload_);
    }
    if (!period_.Over()) timer_ = loop_.After(absl::Milliseconds(1), [this] { Turn(); });
  }

  EventLoop& loop_;
  Path& path_;
  const LoadOptions& options_;
  const std::string& payload_;
  Period& period_;
  int64_t& sent_;
  EventLoop::TimerId timer_ = 0;
};

}  // namespace

double Quantile(const std::vector<double>& sorted, double q) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(q * static_cast<double>(sorted.size()));
  return sorted[std::min(rank, sorted.size() - 1)];
}

absl::StatusOr<LoadResult> RunLoad(EventLoop& loop, Path& path, const LoadOptions& options) {
  const std::string payload(options.payload_bytes, 'x');
  Period period(options);
  const bool paced = options.rate > 0;
  int64_t sent = 0;
  int64_t answered = 0;
  LoadResult result;
  std::vector<double> latencies_ms;
  path.Observe([&](int node, absl::Duration latency) {
    ++answered;
    latencies_ms.push_back(absl::ToDoubleMilliseconds(latency));
    if (period.Over()) return;
    ++result.answered;
    if (paced) return;
    ++sent;
    path.Send(node, payload);
  });
  const absl::Cleanup no_observer = [&path] { path.Observe(nullptr); };
  std::unique_ptr<Pacer> pacer;
  if (paced) {
    pacer = std::make_unique<Pacer>(loop, path, options, payload, period, sent);
  } else {
    const int first = std::min(options.nodes, kOutstandingMax);
    for (int i = 0; i < first; ++i, ++sent) path.Send(i, payload);
  }
  loop.RunUntil([&] { return period.Over(); }, options.time);
  if (!loop.RunUntil([&] { return answered >= sent; }, kAnswerMax)) {
    return absl::DeadlineExceededError(
        absl::StrCat(sent - answered, " messages of ", sent, " were not answered"));
  }
  std::sort(latencies_ms.begin(), latencies_ms.end());
  result.p50_ms = Quantile(latencies_ms, 0.5);
  result.p99_ms = Quantile(latencies_ms, 0.99);
  result.max_ms = Quantile(latencies_ms, 1);
  return result;
}

absl::StatusOr<std::vector<double>> Broadcast(EventLoop& loop, Path& path, int nodes,
                                              size_t payload_bytes) {
  const std::string payload(payload_bytes, 'x');
  const absl::Duration begin = EventLoop::Now();
  std::vector<double> seconds;
  path.Observe([&](int, absl::Duration) {
    seconds.push_back(absl::ToDoubleSeconds(EventLoop::Now() - begin));
  });
  const absl::Cleanup no_observer = [&path] { path.Observe(nullptr); };
  for (int i = 0; i < nodes; ++i) path.Send(i, payload);
  const auto all = [&] { return seconds.size() >= static_cast<size_t>(nodes); };
  if (!loop.RunUntil(all, kAnswerMax)) {
    return absl::DeadlineExceededError(absl::StrCat("only ", seconds.size(), " answers"));
  }
  return seconds;
}

}  // namespace skerry::bench
