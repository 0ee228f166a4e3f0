#include "services/lib/auth/token_reviews.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "services/lib/auth/token_review.h"
#include "services/lib/base/error.h"
#include "services/lib/security/x509.h"

namespace skerry::auth {
namespace {

prometheus::Counter& Reviews(metrics::Registry& registry, const char* result) {
  return registry.Counter("skerry_auth_token_reviews_total",
                          "Tokens asked for at the Kubernetes API, by what came of it.",
                          {{"result", result}});
}

absl::Status Failed(absl::string_view why) {
  return Error(absl::StatusCode::kUnavailable,
               absl::StrCat("the token could not be checked at the Kubernetes API: ", why))
      .Reason("TOKEN_REVIEW_FAILED");
}

absl::Status Busy() {
  return Error(absl::StatusCode::kResourceExhausted,
               "too many calls wait for their tokens to be checked; try again later")
      .Reason("TOKEN_REVIEWS_BUSY");
}

}  // namespace

TokenReviews::Metrics::Metrics(metrics::Registry& registry)
    : accepted(Reviews(registry, "accepted")),
      refused(Reviews(registry, "refused")),
      failed(Reviews(registry, "failed")),
      cached(registry.Counter("skerry_auth_token_cache_hits_total",
                              "Calls whose token's answer was known already.")),
      evictions(registry.Counter("skerry_auth_token_cache_evictions_total",
                                 "Answers forgotten before their time, at the bound of bytes.")),
      busy(registry.Counter("skerry_auth_token_overflows_total",
                            "Calls refused because too many wait for a TokenReview.")) {}

TokenReviews::TokenReviews(Options options, TokenBindings bindings, Post post, Clock& clock,
                           metrics::Registry& registry, log::Logger log)
    : options_(std::move(options)),
      bindings_(std::move(bindings)),
      post_(std::move(post)),
      clock_(clock),
      metrics_(registry),
      log_(std::move(log)),
      accepted_(options_.accepted_bytes_max),
      refused_(options_.refused_bytes_max),
      pool_("token-reviews", options_.threads, options_.reviews_max) {}

TokenReviews::~TokenReviews() {
  stop_.request_stop();
  pool_.Stop();
}

void TokenReviews::Authenticate(absl::string_view token, Done done) {
  const std::string hash = security::Sha256Hex(token);
  std::optional<Answer> answer = Known(hash);
  if (!answer.has_value()) answer = Enqueue(hash, token, done);
  if (answer.has_value()) done(*std::move(answer));
}

std::optional<TokenReviews::Answer> TokenReviews::Known(const std::string& hash) {
  absl::MutexLock lock(&mutex_);
  const absl::Duration now = clock_.Monotonic();
  const Answer* known = accepted_.Find(hash, now);
  if (known == nullptr) known = refused_.Find(hash, now);
  if (known == nullptr) return std::nullopt;
  metrics_.cached.Increment();
  return *known;
}

std::optional<TokenReviews::Answer> TokenReviews::Enqueue(const std::string& hash,
                                                          absl::string_view token, Done& done) {
  absl::MutexLock lock(&mutex_);
  const auto [waiting, first] = waiting_.try_emplace(hash);
  if (calls_ < options_.calls_max &&
      (!first || pool_.TrySubmit([this, hash, token = std::string(token)] {
        Answered(hash, Review(token));
      }))) {
    waiting->second.push_back(std::move(done));
    ++calls_;
    return std::nullopt;
  }
  if (first) waiting_.erase(waiting);
  metrics_.busy.Increment();
  return Answer(Busy());
}

TokenReviews::Answer TokenReviews::Review(const std::string& token) {
  if (stop_.stop_requested()) return Failed("the service is stopping");
  const absl::StatusOr<std::string> body =
      post_(TokenReviewBody(token, options_.audience), options_.timeout, stop_.get_token());
  if (!body.ok()) {
    return Failed(absl::IsPermissionDenied(body.status())
                      ? absl::StrCat("this service may not create tokenreviews there: ",
                                     body.status().message())
                      : std::string(body.status().message()));
  }
  absl::StatusOr<TokenUser> user = ReadTokenReview(*body, options_.audience);
  if (absl::IsInternal(user.status())) return Failed(user.status().message());
  if (!user.ok()) return user.status();
  std::vector<std::string> organizations = bindings_.OrganizationsOf(user->name, user->groups);
  return security::TokenIdentity{std::move(user->name), std::move(organizations)};
}

void TokenReviews::Answered(const std::string& hash, const Answer& answer) {
  std::vector<Done> waiting;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock_.Monotonic();
    size_t evicted = 0;
    if (answer.ok()) {
      metrics_.accepted.Increment();
      evicted = accepted_.Put(hash, answer, now, now + options_.accepted_for);
    } else if (absl::IsUnauthenticated(answer.status())) {
      metrics_.refused.Increment();
      evicted = refused_.Put(hash, answer, now, now + options_.refused_for);
    } else {
      metrics_.failed.Increment();
    }
    metrics_.evictions.Increment(static_cast<double>(evicted));
    NoteFailure(answer.ok() || absl::IsUnauthenticated(answer.status()) ? absl::OkStatus()
                                                                        : answer.status());
    waiting = std::move(waiting_.extract(hash).mapped());
    calls_ -= waiting.size();
  }
  for (Done& done : waiting) done(answer);
}

void TokenReviews::NoteFailure(const absl::Status& status) {
  const bool failing = !status.ok();
  if (failing == failing_) return;
  failing_ = failing;
  if (failing) {
    log_.Error("tokens of callers cannot be checked", status);
  } else {
    log_.Info("tokens of callers can be checked again", {});
  }
}

}  // namespace skerry::auth
