#include "services/lib/rpc/server_metrics.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/base/clock.h"

namespace skerry::rpc {
namespace {

absl::string_view CodeName(grpc::StatusCode code) {
  static constexpr absl::string_view kNames[] = {"OK",
                                                 "CANCELLED",
                                                 "UNKNOWN",
                                                 "INVALID_ARGUMENT",
                                                 "DEADLINE_EXCEEDED",
                                                 "NOT_FOUND",
                                                 "ALREADY_EXISTS",
                                                 "PERMISSION_DENIED",
                                                 "RESOURCE_EXHAUSTED",
                                                 "FAILED_PRECONDITION",
                                                 "ABORTED",
                                                 "OUT_OF_RANGE",
                                                 "UNIMPLEMENTED",
                                                 "INTERNAL",
                                                 "UNAVAILABLE",
                                                 "DATA_LOSS",
                                                 "UNAUTHENTICATED"};
  int index = static_cast<int>(code);
  return index >= 0 && index <= 16 ? kNames[index] : "UNKNOWN";
}

// The labels of "/package.Service/Method", and more. Only methods that the server has get here:
// unknown ones are refused before interceptors run, so the label set is closed.
metrics::Labels LabelsOf(absl::string_view method, metrics::Labels labels = {}) {
  absl::ConsumePrefix(&method, "/");
  const size_t slash = method.find('/');
  labels["service"] = std::string(method.substr(0, slash));
  labels["method"] = std::string(slash == method.npos ? "" : method.substr(slash + 1));
  return labels;
}

// Of unary calls, by method and code. Outlives the server's calls, as does the next.
class HandlingSeconds {
 public:
  explicit HandlingSeconds(metrics::Registry& registry) : registry_(registry) {}

  void Observe(const char* method, grpc::StatusCode code, absl::Duration elapsed) {
    Series(method, code).Observe(absl::ToDoubleSeconds(elapsed));
  }

 private:
  prometheus::Histogram& Series(const char* method, grpc::StatusCode code) {
    absl::MutexLock lock(&mutex_);
    prometheus::Histogram*& series = series_[{method, code}];
    if (series == nullptr) {
      series = &registry_.Histogram(
          "skerry_rpc_server_handling_seconds", "Time from a unary call's start to its status.",
          metrics::LatencyBounds(), LabelsOf(method, {{"code", std::string(CodeName(code))}}));
    }
    return *series;
  }

  metrics::Registry& registry_;
  absl::Mutex mutex_;
  std::map<std::pair<std::string, grpc::StatusCode>, prometheus::Histogram*> series_
      ABSL_GUARDED_BY(mutex_);
};

// Of the streams of one method.
class StreamSeries {
 public:
  StreamSeries(metrics::Registry& registry, const char* method)
      : open(registry.Gauge("skerry_rpc_server_streams", "Streams that are open.",
                            LabelsOf(method))),
        received(Messages(registry, method, "received")),
        sent(Messages(registry, method, "sent")),
        registry_(registry),
        method_(method) {
    Ended(grpc::StatusCode::OK);  // There from the start.
  }

  prometheus::Counter& Ended(grpc::StatusCode code) {
    return registry_.Counter("skerry_rpc_server_stream_ends_total",
                             "Streams that ended, by their status.",
                             LabelsOf(method_, {{"code", std::string(CodeName(code))}}));
  }

  prometheus::Gauge& open;
  prometheus::Counter& received;
  prometheus::Counter& sent;

 private:
  static prometheus::Counter& Messages(metrics::Registry& registry, const char* method,
                                       const char* direction) {
    return registry.Counter("skerry_rpc_server_stream_messages_total", "Messages on streams.",
                            LabelsOf(method, {{"direction", direction}}));
  }

  metrics::Registry& registry_;
  const std::string method_;
};

// Of all streams.
class StreamMetrics {
 public:
  explicit StreamMetrics(metrics::Registry& registry) : registry_(registry) {}

  StreamSeries& Of(const char* method) {
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<StreamSeries>& series = series_[method];
    if (series == nullptr) series = std::make_unique<StreamSeries>(registry_, method);
    return *series;
  }

 private:
  metrics::Registry& registry_;
  absl::Mutex mutex_;
  std::map<std::string, std::unique_ptr<StreamSeries>> series_ ABSL_GUARDED_BY(mutex_);
};

using grpc::experimental::InterceptionHookPoints;

// One a unary call.
class UnaryInterceptor final : public grpc::experimental::Interceptor {
 public:
  UnaryInterceptor(HandlingSeconds& metrics, const char* method)
      : metrics_(metrics), method_(method), start_(SystemClock().Monotonic()) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      metrics_.Observe(method_, methods->GetSendStatus().error_code(),
                       SystemClock().Monotonic() - start_);
    }
    methods->Proceed();
  }

 private:
  HandlingSeconds& metrics_;
  const char* const method_;  // gRPC's own, valid during the call.
  const absl::Duration start_;
};

// One a stream. Batches of reads and of writes come at the same time; that with the status alone,
// or with the last message.
class StreamInterceptor final : public grpc::experimental::Interceptor {
 public:
  explicit StreamInterceptor(StreamSeries& series) : series_(series) { series_.open.Increment(); }
  ~StreamInterceptor() override {
    if (!ended_) series_.open.Decrement();  // Its server ended before it.
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_MESSAGE))
      series_.sent.Increment();
    // Null: there is none any more.
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::POST_RECV_MESSAGE) &&
        methods->GetRecvMessage() != nullptr) {
      series_.received.Increment();
    }
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      ended_ = true;
      series_.open.Decrement();
      series_.Ended(methods->GetSendStatus().error_code()).Increment();
    }
    methods->Proceed();
  }

 private:
  StreamSeries& series_;
  bool ended_ = false;
};

class MetricsFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit MetricsFactory(metrics::Registry& registry) : calls_(registry), streams_(registry) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    if (info->type() == grpc::experimental::ServerRpcInfo::Type::UNARY)
      return new UnaryInterceptor(calls_, info->method());
    return new StreamInterceptor(streams_.Of(info->method()));
  }

 private:
  HandlingSeconds calls_;
  StreamMetrics streams_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerMetrics(
    metrics::Registry& registry) {
  return std::make_unique<MetricsFactory>(registry);
}

}  // namespace skerry::rpc
