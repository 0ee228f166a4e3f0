// A cloud and spokes that record what they are told.
#ifndef SKERRY_SERVICES_EDGEHUB_SVC_TESTING_FAKES_H_
#define SKERRY_SERVICES_EDGEHUB_SVC_TESTING_FAKES_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "services/edgehub-svc/hub/ports.h"
#include "services/lib/base/error.h"
#include "services/lib/link/tunnel_events.h"

namespace skerry::edgehub::testing {

// Any thread may call it.
class FakeCloudLink final : public CloudLink {
 public:
  explicit FakeCloudLink(LinkEvents events) : events(std::move(events)) {}

  void Send(link::EdgeFrame frame) override {
    absl::MutexLock lock(&mutex_);
    sent_.push_back(std::move(frame));
  }
  void Close(absl::Status) override {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  void Consumed() override {
    absl::MutexLock lock(&mutex_);
    ++consumed_;
  }
  void AwaitDrained() override { events.on_drained(); }
  int consumed() const {
    absl::MutexLock lock(&mutex_);
    return consumed_;
  }
  std::vector<link::EdgeFrame> TakeSent() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(sent_, {});
  }
  bool closed() const {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }

  const LinkEvents events;

 private:
  mutable absl::Mutex mutex_;
  std::vector<link::EdgeFrame> sent_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int consumed_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Any thread may call it.
class FakeDialer final : public CloudDialer {
 public:
  std::shared_ptr<CloudLink> Dial(LinkEvents events) override {
    absl::MutexLock lock(&mutex_);
    links_.push_back(std::make_shared<FakeCloudLink>(std::move(events)));
    return links_.back();
  }
  // Null before the first Dial.
  std::shared_ptr<FakeCloudLink> last() {
    absl::MutexLock lock(&mutex_);
    return links_.empty() ? nullptr : links_.back();
  }
  size_t dials() {
    absl::MutexLock lock(&mutex_);
    return links_.size();
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::shared_ptr<FakeCloudLink>> links_ ABSL_GUARDED_BY(mutex_);
};

// Any thread may call it.
class FakeSpoke final : public SpokePort {
 public:
  void Send(SpokeMessage message) override {
    absl::MutexLock lock(&mutex_);
    received_.push_back(std::move(message));
  }
  void Close(absl::Status status) override {
    absl::MutexLock lock(&mutex_);
    closed_ = std::move(status);
  }
  std::vector<SpokeMessage> Take() {
    absl::MutexLock lock(&mutex_);
    return std::exchange(received_, {});
  }
  absl::Status closed() {
    absl::MutexLock lock(&mutex_);
    return closed_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<SpokeMessage> received_ ABSL_GUARDED_BY(mutex_);
  absl::Status closed_ ABSL_GUARDED_BY(mutex_);
};

// Any thread may call it.
class FakeTunnelUser final : public link::tunnel::UserPort {
 public:
  void Tell(link::tunnel::UserMessage message) override {
    absl::MutexLock lock(&mutex_);
    if (const auto* bytes = std::get_if<link::tunnel::Bytes>(&message)) received_ += bytes->bytes;
    if (const auto* end = std::get_if<link::tunnel::End>(&message))
      ended_reason_ = GetErrorInfo(end->status).reason;
  }
  std::string received() {
    absl::MutexLock lock(&mutex_);
    return received_;
  }
  std::string ended_reason() {
    absl::MutexLock lock(&mutex_);
    return ended_reason_;
  }

 private:
  absl::Mutex mutex_;
  std::string received_ ABSL_GUARDED_BY(mutex_);
  std::string ended_reason_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::edgehub::testing

#endif  // SKERRY_SERVICES_EDGEHUB_SVC_TESTING_FAKES_H_
