// The thread that an engine's connections share. For .cc files: it includes Boost.Asio.
#ifndef SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_NETWORK_H_
#define SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_NETWORK_H_

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "services/lib/exec/thread_name.h"

namespace skerry::edged {

// Kept by every connection, so that one that outlives the engine can still answer.
class EngineNetwork {
 public:
  explicit EngineNetwork(std::string socket_path) : socket_path_(std::move(socket_path)) {}

  void Start(const char* thread_name) {
    thread_ = std::thread([this, thread_name] {
      exec::SetThreadName(thread_name);
      io_.run();
    });
  }
  // Cuts every connection; none is begun from here on. Waits for that. Not from the own thread.
  void Cut() {
    absl::Notification cut_all;
    {
      absl::MutexLock lock(&mutex_);
      stopped_ = true;  // What the cut ones call back begins nothing new.
      boost::asio::post(io_, [this, &cut_all] {
        cutting_ = true;
        const auto open = open_;
        for (const auto& [connection, cut] : open) cut();
        cut_all.Notify();
      });
    }
    cut_all.WaitForNotification();
  }
  // Cut, and the thread ends when all has been called back. Once.
  void Stop() {
    Cut();
    work_.reset();
    thread_.join();
  }

  // False after the end: `function` will not run.
  template <typename Function>
  bool Post(Function function) {
    absl::MutexLock lock(&mutex_);
    if (stopped_) return false;
    boost::asio::post(io_, std::move(function));
    return true;
  }

  // ---- On the own thread.

  void Add(const void* connection, std::function<void()> cut) {
    // What the own thread posted just before the end may begin behind it: Asio keeps it apart.
    if (cutting_) boost::asio::post(io_, cut);
    open_[connection] = std::move(cut);
  }
  void Remove(const void* connection) { open_.erase(connection); }

  boost::asio::io_context& io() { return io_; }
  const std::string& socket_path() const { return socket_path_; }

 private:
  const std::string socket_path_;
  boost::asio::io_context io_{1};
  std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_{
      io_.get_executor()};
  // Of the own thread.
  std::map<const void*, std::function<void()>> open_;
  bool cutting_ = false;
  std::thread thread_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_DOCKER_ENGINE_NETWORK_H_
