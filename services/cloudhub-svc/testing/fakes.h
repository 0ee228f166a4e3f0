// Nodes and spokes that record what they are told.
#ifndef SKERRY_SERVICES_CLOUDHUB_SVC_TESTING_FAKES_H_
#define SKERRY_SERVICES_CLOUDHUB_SVC_TESTING_FAKES_H_

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/cloudhub-svc/sessions/command_desk.h"
#include "services/cloudhub-svc/sessions/ports.h"
#include "services/lib/base/error.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::cloudhub::testing {

// Any thread may call it.
class FakeNode final : public NodeLink {
 public:
  void Send(link::CloudFrame frame) override {
    absl::MutexLock lock(&mutex_);
    received_.push_back(std::move(frame));
  }
  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    if (!closed_.has_value()) closed_ = std::move(status);
  }
  void AwaitDrained(std::function<void()> drained) override { drained(); }
  std::vector<link::CloudFrame> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(received_, {});
  }
  // The last Welcome's; 0 without one. Takes all.
  uint64_t TakeEpoch() {
    uint64_t epoch = 0;
    for (const link::CloudFrame& frame : Take()) {
      if (const auto* welcome = std::get_if<link::Welcome>(&frame)) epoch = welcome->epoch;
    }
    return epoch;
  }
  std::optional<absl::Status> closed() {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<link::CloudFrame> received_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
};

// Remembers what it was told as text: "NodeConnected edge-1". Any thread may call it.
class FakeSpoke final : public SpokeLink {
 public:
  void Send(SpokeMessage message) override {
    static constexpr const char* kNames[] = {"NodeConnected", "NodeDisconnected", "Subscribed",
                                             "Unsubscribed",  "PushDone",         "NodeReport",
                                             "NodeEvents"};
    absl::MutexLock lock(&mutex_);
    epoch_ = message.epoch;
    received_.push_back(std::string(kNames[message.body.index()]) + " " + message.node);
  }
  void SendNodesSynced() override {
    absl::MutexLock lock(&mutex_);
    received_.push_back("NodesSynced");
  }
  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    if (!closed_.has_value()) closed_ = std::move(status);
  }
  std::vector<std::string> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(received_, {});
  }
  std::optional<absl::Status> closed() {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }
  // Of the last message.
  uint64_t epoch() {
    absl::MutexLock lock(&mutex_);
    return epoch_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> received_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Any thread may call it.
class FakeTunnelUser final : public link::tunnel::UserPort {
 public:
  void Tell(link::tunnel::UserMessage message) override {
    absl::MutexLock lock(&mutex_);
    if (const auto* bytes = std::get_if<link::tunnel::Bytes>(&message)) received_ += bytes->bytes;
    if (std::holds_alternative<link::tunnel::Taken>(message)) ++taken_;
    if (const auto* end = std::get_if<link::tunnel::End>(&message))
      ended_reason_ = GetErrorInfo(end->status).reason;
  }
  std::string received() {
    absl::MutexLock lock(&mutex_);
    return received_;
  }
  int taken() {
    absl::MutexLock lock(&mutex_);
    return taken_;
  }
  std::string ended_reason() {
    absl::MutexLock lock(&mutex_);
    return ended_reason_;
  }

 private:
  absl::Mutex mutex_;
  std::string received_ ABSL_GUARDED_BY(mutex_);
  std::string ended_reason_ ABSL_GUARDED_BY(mutex_);
  int taken_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Remembers what it was told as text: "SENT", "DONE NO_COMMAND_TAKER", and at the end "(OK)" or the
// reason. Any thread may call it.
class FakeWatcher final : public CommandWatcher {
 public:
  bool Tell(const CommandInfo& info) override {
    static constexpr const char* kStages[] = {"ACCEPTED", "SENT",    "DELIVERED", "STARTED",
                                              "DONE",     "EXPIRED", "CANCELLED"};
    const link::CommandProgress& progress = info.command.progress;
    std::string text = kStages[static_cast<int>(progress.stage)];
    if (!progress.status.ok()) text += " " + GetErrorInfo(progress.status).reason;
    if (!progress.response.empty()) text += " " + progress.response;
    absl::MutexLock lock(&mutex_);
    heard_.push_back(std::move(text));
    return true;
  }
  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    heard_.push_back(status.ok() ? "(OK)" : "(" + GetErrorInfo(status).reason + ")");
  }
  bool Listens() const override { return listens_; }
  void Leave() { listens_ = false; }
  std::vector<std::string> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(heard_, {});
  }

 private:
  std::atomic<bool> listens_ = true;
  absl::Mutex mutex_;
  std::vector<std::string> heard_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::cloudhub::testing

#endif  // SKERRY_SERVICES_CLOUDHUB_SVC_TESTING_FAKES_H_
