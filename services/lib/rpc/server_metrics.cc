#include "services/lib/rpc/server_metrics.h"

#include <map>
#include <memory>
#include <string>
#include <tuple>
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

// Series by method and code. Only methods that the server has get here: unknown ones are refused
// before interceptors run, so the label set is closed. Outlives the server's calls.
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
      absl::string_view path = absl::StripPrefix(method, "/");
      size_t slash = path.find('/');
      series = &registry_.Histogram(
          "skerry_rpc_server_handling_seconds", "Time from a call's start to its status.",
          metrics::LatencyBounds(),
          {{"service", std::string(path.substr(0, slash))},
           {"method", std::string(slash == path.npos ? "" : path.substr(slash + 1))},
           {"code", std::string(CodeName(code))}});
    }
    return *series;
  }

  metrics::Registry& registry_;
  absl::Mutex mutex_;
  std::map<std::pair<std::string, grpc::StatusCode>, prometheus::Histogram*> series_
      ABSL_GUARDED_BY(mutex_);
};

// One a call.
class MetricsInterceptor final : public grpc::experimental::Interceptor {
 public:
  MetricsInterceptor(HandlingSeconds& metrics, const char* method)
      : metrics_(metrics), method_(method), start_(SystemClock().Monotonic()) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(
            grpc::experimental::InterceptionHookPoints::PRE_SEND_STATUS)) {
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

class MetricsFactory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  explicit MetricsFactory(metrics::Registry& registry) : metrics_(registry) {}
  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    return new MetricsInterceptor(metrics_, info->method());
  }

 private:
  HandlingSeconds metrics_;
};

}  // namespace

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeServerMetrics(
    metrics::Registry& registry) {
  return std::make_unique<MetricsFactory>(registry);
}

}  // namespace skerry::rpc
