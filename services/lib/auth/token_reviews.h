// Tokens asked for at a Kubernetes API.
#ifndef SKERRY_SERVICES_LIB_AUTH_TOKEN_REVIEWS_H_
#define SKERRY_SERVICES_LIB_AUTH_TOKEN_REVIEWS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/lib/auth/token_bindings.h"
#include "services/lib/auth/token_cache.h"
#include "services/lib/base/clock.h"
#include "services/lib/exec/thread_pool.h"
#include "services/lib/log/logger.h"
#include "services/lib/metrics/registry.h"
#include "services/lib/security/token_authenticator.h"

namespace skerry::auth {

// Any thread may call it. The server that uses it is shut down before it goes.
//
// An answer of the API is good for accepted_for or refused_for, so a token that was revoked is
// refused that much later at the latest. What keeps the API from answering is not remembered.
// Tokens themselves are in memory while they are asked for, and in no log; what is kept is their
// SHA-256. Calls with the token that is being asked for wait for the same answer.
//
// UNAUTHENTICATED as of ReadTokenReview; UNAVAILABLE / TOKEN_REVIEW_FAILED: the API does not
// answer, or does not let this service ask; RESOURCE_EXHAUSTED / TOKEN_REVIEWS_BUSY: at reviews_max
// or calls_max.
class TokenReviews final : public security::TokenAuthenticator {
 public:
  struct Options {
    std::string audience;  // Empty: the API server's own.
    absl::Duration accepted_for = absl::Seconds(10);
    absl::Duration refused_for = absl::Seconds(1);
    absl::Duration timeout = absl::Seconds(5);  // Of one review.
    size_t accepted_bytes_max = 1u << 20;
    size_t refused_bytes_max = 256u << 10;
    size_t threads = 4;
    size_t reviews_max = 64;  // That wait for a thread.
    size_t calls_max = 1024;  // That wait for an answer.
  };
  // POSTs a TokenReview and returns the answer's body. Blocks, until `stop` at the latest.
  using Post = std::function<absl::StatusOr<std::string>(
      const std::string& body, absl::Duration timeout, std::stop_token stop)>;

  TokenReviews(Options options, TokenBindings bindings, Post post, Clock& clock,
               metrics::Registry& registry, log::Logger log);
  ~TokenReviews() override;  // What waits is UNAVAILABLE.

  void Authenticate(absl::string_view token, Done done) override;

 private:
  using Answer = TokenCache::Answer;
  struct Metrics {
    explicit Metrics(metrics::Registry& registry);
    prometheus::Counter& accepted;
    prometheus::Counter& refused;
    prometheus::Counter& failed;
    prometheus::Counter& cached;
    prometheus::Counter& evictions;
    prometheus::Counter& busy;
  };

  std::optional<Answer> Known(const std::string& hash);
  // Takes `done`, unless it returns an answer.
  std::optional<Answer> Enqueue(const std::string& hash, absl::string_view token, Done& done);
  Answer Review(const std::string& token);
  void Answered(const std::string& hash, const Answer& answer);
  void NoteFailure(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Options options_;
  const TokenBindings bindings_;
  const Post post_;
  Clock& clock_;
  Metrics metrics_;
  const log::Logger log_;
  std::stop_source stop_;
  absl::Mutex mutex_;
  TokenCache accepted_ ABSL_GUARDED_BY(mutex_);
  TokenCache refused_ ABSL_GUARDED_BY(mutex_);
  // By the hash of the token that is being asked for.
  std::map<std::string, std::vector<Done>> waiting_ ABSL_GUARDED_BY(mutex_);
  size_t calls_ ABSL_GUARDED_BY(mutex_) = 0;  // In waiting_.
  bool failing_ ABSL_GUARDED_BY(mutex_) = false;
  exec::ThreadPool pool_;  // Last: its work uses the rest.
};

}  // namespace skerry::auth

#endif  // SKERRY_SERVICES_LIB_AUTH_TOKEN_REVIEWS_H_
