// What listens on a Unix socket and does as a test says.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_UNIX_PEER_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_UNIX_PEER_H_

#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace skerry::edged {

// Serves each connection on a thread of its own, and closes it then.
class UnixPeer {
 public:
  UnixPeer(const std::string& path, std::function<void(int fd)> serve);
  // Cuts the connections; `serve` must end then.
  ~UnixPeer();
  UnixPeer(const UnixPeer&) = delete;
  UnixPeer& operator=(const UnixPeer&) = delete;

  // Until the other side says no more.
  static void ReadUntilItEnds(int fd);
  // Up to the end of an HTTP request's head.
  static std::string ReadHead(int fd);
  // As much as the other side takes.
  static void Write(int fd, const std::string& bytes);

 private:
  void Serve(int fd);

  const std::function<void(int)> serve_;
  int listener_;
  absl::Mutex mutex_;
  std::set<int> open_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> serving_;  // Of the accepting thread, then of the destructor.
  std::thread accepting_;
};

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_UNIX_PEER_H_
