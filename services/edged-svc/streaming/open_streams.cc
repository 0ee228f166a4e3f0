#include "services/edged-svc/streaming/open_streams.h"

#include <utility>

namespace skerry::edged {
namespace {

void Cut(const std::shared_ptr<StreamConnection>& connection) {
  connection->strand().Run([connection] { connection->Abort(); });
}

}  // namespace

OpenStreams::Place::~Place() {
  absl::MutexLock lock(&all_->mutex_);
  all_->open_.erase(number_);
}

void OpenStreams::Place::Put(const std::shared_ptr<StreamConnection>& connection) {
  bool stopping = false;
  {
    absl::MutexLock lock(&all_->mutex_);
    all_->open_[number_] = connection;
    stopping = all_->stopping_;
  }
  if (stopping) Cut(connection);
}

std::shared_ptr<OpenStreams::Place> OpenStreams::Enter() {
  uint64_t number = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_ || open_.size() >= max_) return nullptr;
    number = next_++;
    open_[number];
  }
  return std::shared_ptr<Place>(new Place(shared_from_this(), number));
}

std::vector<std::shared_ptr<StreamConnection>> OpenStreams::Connections() {
  std::vector<std::shared_ptr<StreamConnection>> connections;
  absl::MutexLock lock(&mutex_);
  for (const auto& [number, weak] : open_) {
    if (auto connection = weak.lock(); connection != nullptr)
      connections.push_back(std::move(connection));
  }
  return connections;
}

void OpenStreams::Stop(Clock& clock, absl::Duration grace) {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  for (const auto& connection : Connections()) {
    connection->strand().Run(
        [connection] { connection->Leave(absl::UnavailableError("the node is being restarted")); });
  }
  const auto none = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return open_.empty(); };
  {
    absl::MutexLock lock(&mutex_);
    clock.AwaitUntil(mutex_, absl::Condition(&none), clock.Monotonic() + grace);
  }
  for (const auto& connection : Connections()) Cut(connection);
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&none));
}

}  // namespace skerry::edged
