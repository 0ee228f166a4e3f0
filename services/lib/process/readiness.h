// Ready when every registered condition holds.
#ifndef SKERRY_SERVICES_LIB_PROCESS_READINESS_H_
#define SKERRY_SERVICES_LIB_PROCESS_READINESS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace skerry::process {

// Any thread may call it. Tokens must not outlive it.
class Readiness {
 public:
  // A condition that does not hold yet. It may come and go (a lost neighbour).
  class Token {
   public:
    Token(Readiness& owner, absl::string_view what);
    ~Token();
    Token(const Token&) = delete;
    Token& operator=(const Token&) = delete;
    void Set(bool ready);

   private:
    Readiness& owner_;
    uint64_t id_ = 0;
  };

  std::unique_ptr<Token> Register(absl::string_view what);
  bool ready() const;
  // "edgehub-svc, first snapshot"; empty when ready.
  std::string WaitingFor() const;
  // Called with the state at once, then at every change of it, in order and one call at a time. It
  // must not call back into this object's Register, Set or OnChange.
  void OnChange(std::function<void(bool ready)> listener);

 private:
  struct Condition {
    std::string what;
    bool holds = false;
  };

  // Makes `change` under mutex_, then tells the listeners.
  void Change(const std::function<void()>& change);
  bool Holds() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  absl::Mutex notify_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  std::vector<std::function<void(bool)>> listeners_ ABSL_GUARDED_BY(notify_mutex_);
  bool told_ ABSL_GUARDED_BY(notify_mutex_) = true;
  mutable absl::Mutex mutex_;
  std::map<uint64_t, Condition> conditions_ ABSL_GUARDED_BY(mutex_);  // By order of registration.
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace skerry::process

#endif  // SKERRY_SERVICES_LIB_PROCESS_READINESS_H_
