#include "services/lib/kubeapi/local_client.h"

#include <nlohmann/json.hpp>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/lib/base/status_macros.h"
#include "services/lib/kubeapi/api_status.h"

namespace skerry::kubeapi {
namespace {

// Hands lines to the callbacks until it is cut.
class LocalStream final : public http::ResponseStream {
 public:
  explicit LocalStream(LocalClient::WatchCallbacks callbacks) : callbacks_(std::move(callbacks)) {}

  bool Write(std::string chunk) override {
    const absl::StatusOr<Json> event = ParseJson(chunk);
    absl::MutexLock lock(&calling_);
    if (cut_) return false;
    if (event.ok() && event->is_object())
      callbacks_.on_event(StringAt(*event, {"type"}), ObjectAt(*event, {"object"}));
    return true;
  }

  bool HasRoom() const override { return true; }
  void WhenRoom(std::function<void()> callback) override { callback(); }

  void End() override {
    {
      absl::MutexLock lock(&calling_);
      if (!cut_ && callbacks_.on_closed) callbacks_.on_closed();
      cut_ = true;
    }
    Closed();
  }

  size_t pending_bytes() const override { return 0; }

  void OnClosed(std::function<void()> callback) override {
    {
      absl::MutexLock lock(&mutex_);
      if (!closed_) {
        listener_ = std::move(callback);
        return;
      }
    }
    callback();
  }

  // Waits for a call that is under way, so that none comes after it.
  void Cut() {
    {
      absl::MutexLock lock(&calling_);
      cut_ = true;
    }
    Closed();
  }

 private:
  void Closed() {
    std::function<void()> listener;
    {
      absl::MutexLock lock(&mutex_);
      closed_ = true;
      listener.swap(listener_);
    }
    if (listener) listener();
  }

  LocalClient::WatchCallbacks callbacks_;
  absl::Mutex calling_;  // Held during callbacks.
  bool cut_ ABSL_GUARDED_BY(calling_) = false;
  absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> listener_ ABSL_GUARDED_BY(mutex_);
};

class LocalResponder final : public http::Responder {
 public:
  void Send(http::Response response) override { response_ = std::move(response); }
  std::shared_ptr<http::ResponseStream> Stream(
      int, std::vector<std::pair<std::string, std::string>>) override {
    streaming_ = true;
    return stream_;
  }

  http::Response response_;
  std::shared_ptr<LocalStream> stream_;
  bool streaming_ = false;
};

class Handle final : public LocalClient::WatchHandle {
 public:
  explicit Handle(std::shared_ptr<LocalStream> stream) : stream_(std::move(stream)) {}
  ~Handle() override { stream_->Cut(); }

 private:
  const std::shared_ptr<LocalStream> stream_;
};

http::Request MakeRequest(absl::string_view method, absl::string_view path,
                          const LocalClient::Query& query) {
  http::Request request;
  request.method = std::string(method);
  request.path = std::string(path);
  request.query = query;
  request.headers["accept"] = "application/json";
  request.remote = "local";
  return request;
}

absl::Status StatusOf(const http::Response& response) {
  const absl::StatusOr<Json> body = ParseJson(response.body);
  if (!body.ok()) return ApiError(response.status, "InternalError", "the answer is not readable");
  return ApiError(response.status, StringAt(*body, {"reason"}), StringAt(*body, {"message"}));
}

}  // namespace

absl::StatusOr<Json> LocalClient::Call(absl::string_view method, absl::string_view path,
                                       const Query& query, const Json* body,
                                       absl::string_view content_type) {
  http::Request request = MakeRequest(method, path, query);
  if (body != nullptr) {
    request.headers["content-type"] = std::string(content_type);
    request.body = DumpJson(*body);
  }
  auto responder = std::make_shared<LocalResponder>();
  server_.HandleAs(caller_, std::move(request), responder);
  if (responder->response_.status >= 300) return StatusOf(responder->response_);
  return ParseJson(responder->response_.body);
}

absl::StatusOr<std::unique_ptr<LocalClient::WatchHandle>> LocalClient::Watch(
    absl::string_view path, const Query& query, WatchCallbacks callbacks) {
  http::Request request = MakeRequest("GET", path, query);
  request.query.emplace_back("watch", "true");
  auto responder = std::make_shared<LocalResponder>();
  responder->stream_ = std::make_shared<LocalStream>(std::move(callbacks));
  server_.HandleAs(caller_, std::move(request), responder);
  if (!responder->streaming_) return StatusOf(responder->response_);
  return std::unique_ptr<WatchHandle>(std::make_unique<Handle>(responder->stream_));
}

}  // namespace skerry::kubeapi
