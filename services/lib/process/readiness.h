// Ready when every registered condition holds.
#ifndef SKERRY_SERVICES_LIB_PROCESS_READINESS_H_
#define SKERRY_SERVICES_LIB_PROCESS_READINESS_H_

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
    const std::string what_;
  };

  std::unique_ptr<Token> Register(absl::string_view what);
  bool ready() const;
  // "edgehub-svc, first snapshot"; empty when ready.
  std::string WaitingFor() const;
  // Called with the new state at every change, and once at once. Called under no lock of the caller's.
  void OnChange(std::function<void(bool ready)> listener);

 private:
  friend class Token;
  void Update(const std::string& what, bool ready, bool remove);

  mutable absl::Mutex mutex_;
  std::map<std::string, bool> conditions_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::function<void(bool)>> listeners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace skerry::process

#endif  // SKERRY_SERVICES_LIB_PROCESS_READINESS_H_
